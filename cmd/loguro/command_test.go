package main

import (
	"strings"
	"testing"
)

func TestHelpTeachesAtEveryLevel(t *testing.T) {
	for _, test := range []struct {
		level string
		wants []string
	}{
		{"", []string{"loguro spool ls|cat|verify|export", "loguro clickhouse ddl", "Example"}},
		{"clickhouse", []string{"ddl ", "Example"}},
		{"clickhouse ddl", []string{"--cluster ", "--engine ", "--distributed ", "--ttl ", "--props ", "--deduplication-window ", "Example", "Exit codes"}},
		{"spool", []string{"A spool is the directory that an application names as Config.Spool", "ls ", "cat ", "verify ", "export ", "0000000001-….seg", "Example"}},
		{"spool ls", []string{"--json", "Example", "Exit codes", "began_at"}},
		{"spool cat", []string{"--dead", "Example", "Exit codes"}},
		{"spool verify", []string{"--json", "torn ", "corrupt ", "unknown version", "Example", "Exit codes"}},
		{"spool export", []string{"--to ", "--as ", "--dead", "--keep", "--json", "parquet:OUTDIR", "parquetexporter.Exporter", "Example", "Exit codes", "130"}},
	} {
		words := strings.Fields(test.level)
		for _, flag := range []string{"-h", "--help", "-help"} {
			r := loguroRun(t, append(words, flag)...)
			r.check(t, 0, test.wants, nil)
			for text := range strings.Lines(r.out) {
				if n := len([]rune(strings.TrimRight(text, "\n"))); n > 80 {
					t.Errorf("%s %s: a line of %d characters: %s", test.level, flag, n, text)
				}
			}
		}
	}
	loguroRun(t, "help").check(t, 0, []string{"usage: loguro spool"}, nil)
	loguroRun(t, "spool", "export", "DIR", "--help").check(t, 0, []string{"--keep"}, nil)
}

func TestWrongUsageSaysWhatIsRight(t *testing.T) {
	for args, want := range map[string]string{
		"":                                  "usage: loguro spool|clickhouse …",
		"spol":                              `"spol" is none of spool, clickhouse`,
		"spool":                             "usage: loguro spool ls|cat|verify|export …",
		"spool lost":                        `"lost" is none of ls, cat, verify, export`,
		"spool ls":                          "give one directory, not 0",
		"spool ls a b":                      "give one directory, not 2",
		"spool ls --jsn a":                  "flag provided but not defined: -jsn\nusage: loguro spool ls [--json] DIR\n       loguro spool ls -h says more",
		"spool ls -- --json b":              "give one directory, not 2", // behind -- there are no flags
		"spool cat":                         "usage: loguro spool cat [--dead] DIR|FILE…",
		"spool verify":                      "usage: loguro spool verify [--json] DIR|FILE…",
		"spool export .":                    "--to is missing",
		"spool export --to parquet:out":     "give one directory, not 0",
		"spool export --to parquet:out a b": "give one directory, not 2",
		"spool export --to":                 "flag needs an argument: -to",
		"clickhouse ddl now":                `"now" is no flag`,
		"clickhouse ddl --props text":       `--props is "text", want string, json or map`,
		"clickhouse ddl --distributed all":  "Cluster is empty",
	} {
		r := loguroRun(t, strings.Fields(args)...)
		r.check(t, 2, nil, []string{want, "usage: loguro"})
		if r.out != "" {
			t.Errorf("%q: stdout has %q, want nothing", args, r.out)
		}
	}
}

func TestFlagsMayStandBehindTheDirectory(t *testing.T) {
	dir := spoolOf(t, "aa")
	loguroRun(t, "spool", "ls", dir, "--json").check(t, 0, []string{`{"dir":`}, nil)
}
