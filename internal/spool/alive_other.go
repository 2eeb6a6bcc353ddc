//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package spool

import "errors"

func lockHeld(string) (bool, error) { return false, errors.ErrUnsupported }
