package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/loguro/loguro/internal/pipeline"
)

// logHandler prints the warnings and errors of the pipeline for people, a line each.
type logHandler struct {
	out   io.Writer
	paths *strings.Replacer // from those of a copy to those that people know
	quiet atomic.Bool
}

var _ slog.Handler = (*logHandler)(nil)

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && !h.quiet.Load()
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Message == pipeline.OwedMessage {
		return nil // the summary says it
	}
	var details []string
	r.Attrs(func(a slog.Attr) bool {
		details = append(details, a.Key+" "+a.Value.String())
		return true
	})
	text := r.Message
	if len(details) > 0 {
		text += " (" + strings.Join(details, ", ") + ")"
	}
	_, err := fmt.Fprintln(h.out, line(h.paths.Replace(text), 0))
	return err
}

func (h *logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h *logHandler) WithGroup(string) slog.Handler      { return h }
