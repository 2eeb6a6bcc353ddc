.PHONY: test gates e2e bench fuzz soak

test:            ## what the README says
	go test ./...

gates:           ## style, races, and the tools that need the network once
	bash .ci/gates

e2e:             ## DuckDB, Chromium, routers and proxies; see e2e/README.md
	cd e2e && go test ./...

bench:           ## side by side in one run
	go test -run '^$$' -bench . -count 6 . ./internal/pipeline ./exporters/parquetexporter
	cd bench && go test -run TestOutage -v .

fuzz:            ## a minute each
	for target in event:FuzzJSON event:FuzzProps event:FuzzBinary internal/spool:FuzzSegment internal/spool:FuzzArbitraryBytes enrich:FuzzCleanURL identity:FuzzCookies identity:FuzzPayload; do \
		go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime 60s ./$${target%:*} || exit 1; done

soak:            ## the race detector, again and again
	go test -race -count 20 ./...
