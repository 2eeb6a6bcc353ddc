//go:build !clock

package main

import (
	"errors"
	"time"
)

// setClock needs a package time whose clock can be set; the test that wants it builds one in, see delivery_clock_test.go.
func setClock(time.Duration) error { return errors.New("built without the tag clock") }
