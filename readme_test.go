package loguro_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/loguro/loguro"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheProgramInTheReadmeBuilds(t *testing.T) {
	_, rest, _ := strings.Cut(readme(t), "```go\n")
	program, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README has no Go program")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "program"), file).CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

func TestTheReadmeNamesEveryConfigField(t *testing.T) {
	text := readme(t)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[loguro.Config]()) {
		if !strings.Contains(text, "`"+field.Name+"`") {
			t.Errorf("README does not name Config.%s", field.Name)
		}
	}
}
