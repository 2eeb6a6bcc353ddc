package spool

import "syscall"

var passingErrors = []error{syscall.EIO, syscall.EMFILE}
