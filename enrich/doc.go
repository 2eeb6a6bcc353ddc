// Package enrich says what a request tells about a visit, beyond who makes it: for now, the address without its secrets.
package enrich
