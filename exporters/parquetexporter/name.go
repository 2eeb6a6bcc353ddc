package parquetexporter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxID leaves room for the extensions in the 255 bytes that file systems allow a name.
const maxID = 200

// checkID refuses a batch id that is not a plain file name everywhere, or that readers would pass over: Spark and Hive
// do not see files whose names begin with a dot or an underscore.
func checkID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("the batch id is empty; it names the file")
	case len(id) > maxID:
		return fmt.Errorf("the batch id %.20q… has %d bytes; it names the file and may have %d", id, len(id), maxID)
	case id[0] == '.' || id[0] == '_':
		return fmt.Errorf("the batch id %q begins with %q; readers do not see such files", id, id[0])
	case !utf8.ValidString(id) || strings.ContainsAny(id, `/\:*?"<>|[]{}`) || strings.ContainsFunc(id, unicode.IsControl):
		return fmt.Errorf("the batch id %q is not a plain file name; use letters, digits, - and _", id)
	}
	return nil
}
