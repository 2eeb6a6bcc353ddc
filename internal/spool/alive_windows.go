package spool

import (
	"errors"
	"os"
)

// lockHeld asks whether a living process holds the lock: it lets nobody else open the file.
func lockHeld(name string) (bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, errSharing) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, f.Close()
}
