//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package spool

import (
	"errors"
	"os"
)

func openLocked(name string, _ int) (*os.File, error) {
	return nil, &os.PathError{Op: "lock", Path: name, Err: errors.New("this operating system has no file locks that end with the process, so a spool cannot be kept safely; leave Config.Spool empty")}
}
