// Package spool keeps batches of events on disk until they are delivered: one segment, one file, one batch. It knows
// files and events, and nothing of exporters, retries or requests.
//
// # Layout
//
//	DIR/<process>/lock                      held by the living process, empty
//	DIR/<process>/exporters                 the names of the exporters, if they are several
//	DIR/<process>/<number>-<batch id>.seg   a segment; numbers give the order
//	DIR/<process>/<number>-<batch id>.json  what remains of it for each exporter; only if that is not all for all
//	DIR/dead/<exporter>-<batch id>.jsonl    events that an exporter refused for good, with the reason, a line each
//	DIR/corrupt/<batch id>-<offset>.bin     damaged bytes that were cut out of a segment
//
// A process folder is named by a UUID and belongs to who holds the lock on its lock file. The operating system lets a
// lock go with its process, so that a folder without an owner is left by a dead one, whatever its host name or process
// id was, and may be taken over: where it lies, batch by batch, under the same ids. Files that end in .tmp were not
// complete when their process died.
//
// # Segment
//
// All numbers are little-endian. A segment begins with a header of 24 bytes:
//
//	 0  version, 1
//	 1  "lgs"
//	 4  batch id, 16 bytes of UUID
//	20  CRC-32C (Castagnoli) of bytes 0 to 19
//
// Records follow, each a frame of 16 bytes and the event in its binary form (package event):
//
//	 0  length of the payload, at least 1 and at most 1 MiB
//	 4  number of the event in the batch, from 0
//	 8  CRC-32C of the payload
//	12  CRC-32C of: batch id, offset of the frame in the file (8 bytes), and the 12 bytes before
//
// The last sum ties a frame to its batch and its place. So what an older file left in a reused block is not taken for
// a record; a damaged payload costs that record only, because its length can be trusted; and behind a damaged frame the
// next one is found by trying every offset. Where records are missing, the numbers tell how many, and the parts of a
// batch that was split stay what they were.
//
// # Damage
//
// Whatever is not a whole record up to the end of the file is a torn tail: the process or the power went while it was
// written. It is cut. Damage with whole records behind it is corruption: the bytes go to the folder corrupt, and the
// other records stay. A segment of a version that this package does not know is left alone.
package spool
