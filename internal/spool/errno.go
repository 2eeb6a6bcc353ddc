//go:build !plan9

package spool

import "syscall"

// passingErrors are those of a disk that mend by themselves.
var passingErrors = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE}
