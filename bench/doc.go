// Package bench puts loguro through the same outages as the libraries that an application might use instead, each in a
// process of its own and with its defaults. It is a module of its own, so that whoever imports loguro downloads none of
// them. README.md says how to run it, what each scenario does, and what came out.
package bench
