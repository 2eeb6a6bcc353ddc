// Package e2e holds the tests that need somebody else's programs: a real browser without JavaScript, DuckDB, the routers
// that applications use, and the caches that stand before them. They are a module of their own, so that whoever imports
// loguro downloads none of it. README.md says how to run them and what each shows.
package e2e
