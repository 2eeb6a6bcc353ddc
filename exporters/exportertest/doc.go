// Package exportertest helps to test exporters and what uses them: [Recorder] is a [loguro.Exporter] in memory,
// [Run] is the conformance suite that every exporter passes, and [Events] makes realistic events for benchmarks.
//
// An exporter of your own passes the suite with one test:
//
//	func TestExporterConforms(t *testing.T) {
//		exportertest.Run(t, func(t *testing.T) exportertest.Store {
//			db := openEmptyDatabase(t)
//			return exportertest.Store{Exporter: myexporter.New(db), Read: func(t *testing.T) []loguro.Event {
//				return selectAll(t, db)
//			}}
//		})
//	}
package exportertest
