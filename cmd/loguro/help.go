package main

// The texts fit a terminal of 80 columns.

const programHelp = `loguro looks after what the library github.com/loguro/loguro keeps on disk.

usage: loguro spool ls|cat|verify|export …
       loguro clickhouse ddl …

  spool       the events that wait for delivery; loguro spool -h says more
  clickhouse  the table for events; loguro clickhouse -h says more

Example: what waits in the spool of an application?

  loguro spool ls /var/lib/shop/spool
`

const clickhouseHelp = `loguro clickhouse is for those whose events go to ClickHouse.

usage: loguro clickhouse ddl …

  ddl  prints the statements that make the table

Example:

  loguro clickhouse ddl | clickhouse client --multiquery
`

const ddlHelp = `loguro clickhouse ddl prints the statements that make the table for events, for
teams that keep their migrations themselves. Give an application the same
options (clickhouseexporter.Options). It connects to nothing.

usage: loguro clickhouse ddl [FLAG …]

  --database NAME              made if missing; defaults to the connection's
  --table NAME                 defaults to loguro_events
  --cluster NAME               ON CLUSTER; a macro such as {cluster} works
  --engine ENGINE              defaults to MergeTree; ReplicatedMergeTree,
                               ReplacingMergeTree, …
  --distributed NAME           a Distributed table in front, over --cluster
  --order-by EXPRESSION        the sorting key
  --partition-by EXPRESSION    defaults to toYYYYMM(timestamp)
  --ttl EXPRESSION             when rows go: "toDateTime(timestamp) + INTERVAL 2
                               YEAR"; defaults to never
  --props string|json|map      the type of custom_props; defaults to string
  --deduplication-window N     of how many inserts the ids are remembered;
                               defaults to 10000

Example: two replicas and two shards

  loguro clickhouse ddl --database web --table events_local \
    --cluster '{cluster}' --engine ReplicatedMergeTree --distributed events

Exit codes:

  0    the statements are printed
` + exitCodes

const spoolHelp = `loguro spool looks into a spool, and ships it by hand.

A spool is the directory that an application names as Config.Spool. Events lie
there until they are delivered, so that they survive crashes, deploys and
outages. Each process has a folder in it, and each batch of events is a file in
that, a segment. When a process dies, the next one that starts on the same
directory delivers what is left. Events that an exporter refused for good are
dead letters; damaged bytes are cut out of segments and put aside.

  DIR/0196cdf4-2b00-7000-8000-0123456789ab/   the folder of a process
    lock                                      held while it lives
    0000000001-….seg                          a segment
    0000000001-….json                         what of it exporters lack, if not
                                              every exporter lacks all
  DIR/dead/….jsonl                            dead letters, with the reason
  DIR/corrupt/….bin                           damaged bytes

usage: loguro spool COMMAND …

  ls      says what is in a spool
  cat     prints the events
  verify  finds damage
  export  delivers what dead processes left, when no application will

ls, cat and verify change nothing, and may be used while applications run. Run
loguro as the user that runs the application: nobody else may read a spool, and
files of another user would be in the application's way.

Example: what is in there, and is it whole?

  loguro spool ls /var/lib/shop/spool
  loguro spool verify /var/lib/shop/spool

loguro spool COMMAND -h says more about each.
`

const lsHelp = `loguro spool ls says what is in a spool (loguro spool -h says what that is): the
folder of each process and whether it lives; its segments in order, with events,
size, age, the exporters that wait for them, and damage; dead letters, with the
exporter that refused them and why; damaged parts that were put aside; totals.
It prints no event.

usage: loguro spool ls [--json] DIR

  --json  one JSON object, with sizes in bytes and times in RFC 3339 in UTC:
          dir
          processes     name, path, state (living, dead, unknown), segments, and
                        error if the folder cannot be read
            segments    path, number, batch_id, events, bytes, began_at,
                        exporters (name, lacks_events; who is not in the list
                        lacks all), damage (kind, from, to, error; see verify)
          dead_letters  path, batch_id, exporter, reason, failed_at, events,
                        bytes, claimed (by a process that redrives them), damage
          corrupt       path, batch_id, offset, bytes, put_aside_at
          others        paths of what is not complete, or not of a spool
          totals        processes, living_processes, segments,
                        damaged_segments, events, bytes, dead_events,
                        corrupt_files

Example: how many events wait?

  loguro spool ls --json /var/lib/shop/spool | jq .totals.events

Exit codes:

  0    that is all that is in there, damaged or not
` + exitCodes

const catHelp = `loguro spool cat prints the events of a spool as JSON lines, in order, in the
form that the README of loguro documents. A FILE is a segment (.seg) or a file
of dead letters (.jsonl). What is damaged is named on stderr and skipped. Events
are about people: mind where the output goes.

usage: loguro spool cat [--dead] DIR|FILE…

  --dead  prints dead letters too, behind the events, and as they are: reason,
          exporter, batch_id, failed_at, event

Example: the pages that wait

  loguro spool cat /var/lib/shop/spool | jq -r .path

Exit codes:

  0    these are all events
  1    damaged parts are missing
` + exitCodes

const verifyHelp = `loguro spool verify reads every segment and every dead letter through, and says
what is damaged. It changes nothing. The next process that takes a segment over
cuts a torn end off, puts corrupt parts aside in the folder corrupt, and
delivers the rest; export does the same.

  torn             the end is not a whole record: the process or the power went
                   while it was written
  corrupt          damaged bytes with whole records behind them
  unknown version  written by a later version of loguro, and left alone: use a
                   newer loguro
  side file        cannot be read, so that exporters get the batch once more,
                   under the same id
  dead letter      a line cannot be read, so that the file is not redriven

usage: loguro spool verify [--json] DIR|FILE…

  --json  one JSON object:
          whole, segments, events, bytes, dead_letter_files,
          corrupt_files  put aside earlier
          damaged        path, batch_id, events (that can be read), damage
            damage       kind (torn, corrupt, version, side_file, dead_letter,
                         unreadable), from and to (bytes), error

Example:

  loguro spool verify /var/lib/shop/spool

Exit codes:

  0    all is whole
  1    there is damage
` + exitCodes

const exportHelp = `loguro spool export delivers what dead processes left in a spool, when no
application will: their machine is gone, or the application moved. It does what
the next process of the application would: it takes the folders of dead
processes over, exports every batch under its own id, deletes what is delivered,
and puts events that the destination refuses into the folder dead. Folders of
living processes stay: they deliver theirs.

It may be stopped and repeated at any time. A batch that comes again replaces
itself at the destination, so that each event is there once. After eight
failures in a row it gives up, and what is not exported stays.

usage: loguro spool export --to KIND:TARGET [--as NAME] [--dead] [--keep]
                           [--json] DIR

  --to    where to:
          parquet:OUTDIR   Parquet files, as of parquetexporter with that Dir
          clickhouse://USER:PASSWORD@HOST:9000/DATABASE?table=NAME
          https://USER:PASSWORD@HOST:8443/DATABASE?table=NAME
          http://USER:PASSWORD@HOST:8123/DATABASE?table=NAME
                           ClickHouse; the table must be there, and defaults to
                           loguro_events. The address may say what the driver's
                           DSN can
  --as    in whose place: the name of an exporter in the spool, as ls shows it.
          What that one has is not exported again. It defaults to the name that
          the destination has in an application: parquetexporter.Exporter,
          clickhouseexporter.Exporter. Set it for an exporter within another
          type (main.MyExporter), and for the second of its type
          (parquetexporter.Exporter-2)
  --dead  exports the dead letters of this exporter too
  --keep  leaves the spool as it is and exports a copy, such as from a disk that
          is mounted read-only
  --json  the summary as one JSON object:
          dir, to, exporter, keep, interrupted, error (why it gave up)
          exported_batches, exported_events, redriven_events
          refused_events, torn_tails, corrupt_parts, lost_events
          batches_exported_before   this exporter has them already
          left_batches, left_events not exported: run it again
          living_processes, living_batches
          held_batches, held_for    exported, but other exporters need them yet
          unreadable_folders, damaged_dead_letter_files
          dead_letters_staying      events, without --dead
          dead_letters_of_others    events, by exporter

Where an application exports to several stores (loguro.Tee), export to each: a
batch is deleted when none of them lacks it.

Example: the disk of a machine that is no more

  loguro spool export --to parquet:/data/events --keep /mnt/old/shop/spool

Exit codes:

  0    everything that waited is exported; without --dead, dead letters may stay
  1    something stays, or was damaged or refused; it says what
` + exitCodes

// exitCodes are the same for every command.
const exitCodes = `  2    wrong usage, or something cannot be read or written
  130  interrupted by SIGINT (Ctrl-C) or SIGTERM
`
