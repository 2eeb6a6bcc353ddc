package loguro_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/loguro/loguro"

func deps(t *testing.T, format string, packages ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-deps", "-f", format}, packages...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

// Who imports only the root gets cookies and uuids: no storage, no driver, no cgo.
func TestTheRootImportIsLight(t *testing.T) {
	for _, path := range deps(t, "{{if not .Standard}}{{.ImportPath}}{{end}}", ".") {
		ours := path == module || strings.HasPrefix(path, module+"/") && !strings.Contains(path, "exporters")
		if !ours && path != "github.com/google/uuid" && path != "github.com/gorilla/securecookie" {
			t.Errorf("the root imports %s", path)
		}
	}
	for _, path := range deps(t, "{{if and (not .Standard) .CgoFiles}}{{.ImportPath}}{{end}}", ".") {
		t.Errorf("the root needs cgo for %s", path)
	}
}

// identity ← middleware ← loguro ← exporters ← examples; event and enrich know nothing above them.
func TestNoArrowRunsBack(t *testing.T) {
	for pkg, may := range map[string]string{
		"event":                        "",
		"enrich":                       "",
		"identity":                     "",
		"middleware":                   "identity",
		"internal/spool":               "event",
		"internal/pipeline":            "event internal/spool",
		".":                            "event enrich identity middleware internal/pipeline internal/spool",
		"exporters/parquetexporter":    ". event enrich identity middleware internal/pipeline internal/spool",
		"exporters/clickhouseexporter": ". event enrich identity middleware internal/pipeline internal/spool",
		"exporters/exportertest":       ". event enrich identity middleware internal/pipeline internal/spool",
	} {
		target := "./" + pkg
		for _, path := range deps(t, "{{if not .Standard}}{{.ImportPath}}{{end}}", target) {
			rest, ok := strings.CutPrefix(path, module)
			if !ok {
				continue
			}
			if rest = strings.TrimPrefix(rest, "/"); rest == "" {
				rest = "."
			}
			if rest != pkg && !strings.Contains(" "+may+" ", " "+rest+" ") {
				t.Errorf("%s imports %s; it may import only: %s", pkg, rest, may)
			}
		}
	}
}
