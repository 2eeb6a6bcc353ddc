package clickhouseexporter

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/loguro/loguro"
)

// refusals are the server's codes for a value that it does not take, whatever else is well. The events that cause it go
// to the dead letters. (ErrorCodes.cpp of ClickHouse.)
var refusals = map[int32]bool{
	6:   true, // CANNOT_PARSE_TEXT
	26:  true, // CANNOT_PARSE_QUOTED_STRING
	27:  true, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	38:  true, // CANNOT_PARSE_DATE
	41:  true, // CANNOT_PARSE_DATETIME
	72:  true, // CANNOT_PARSE_NUMBER
	117: true, // INCORRECT_DATA
	131: true, // TOO_LARGE_STRING_SIZE
	321: true, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
	349: true, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	376: true, // CANNOT_PARSE_UUID
	469: true, // VIOLATED_CONSTRAINT
	691: true, // UNKNOWN_ELEMENT_OF_ENUM
}

// overloads are the codes of a server that needs time, and that smaller batches would not help. (They do help where the
// memory for one does not suffice: that is tried again like any other error, and split if others work.)
var overloads = map[int32]time.Duration{
	202: 2 * time.Second, // TOO_MANY_SIMULTANEOUS_QUERIES
	242: 5 * time.Second, // TABLE_IS_READ_ONLY
	252: 5 * time.Second, // TOO_MANY_PARTS
}

// passing is true for errors that may be gone without anybody's doing: the server is not reached, or needs time.
func passing(err error) bool {
	var wrong *schemaError
	if errors.As(err, &wrong) {
		return false
	}
	switch c := code(err); c {
	case 0:
		return true
	case 159, 209, 210, 241, 999: // TIMEOUT_EXCEEDED, SOCKET_TIMEOUT, NETWORK_ERROR, MEMORY_LIMIT_EXCEEDED, KEEPER_EXCEPTION
		return true
	default:
		return overloads[c] > 0
	}
}

// code is that of the server's exception; 0 if the error is none.
func code(err error) int32 {
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// sorted says what to do about an error.
func sorted(ctx context.Context, err error) error {
	if over := ctx.Err(); over != nil {
		return errors.Join(err, over) // the insert may have arrived
	}
	c := code(err)
	if refusals[c] {
		return loguro.Permanent(err)
	}
	if wait := overloads[c]; wait > 0 {
		return loguro.RetryAfter(err, wait)
	}
	return err
}
