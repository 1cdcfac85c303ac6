package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"smsbridge/internal/tenant"
)

// logger is the log of a bridge: for a person on a terminal, or for a program.
func logger(to io.Writer, format tenant.LogFormat, level slog.Level) *slog.Logger {
	terminal := isTerminal(to)
	if format == tenant.LogText || format == tenant.LogAuto && terminal {
		return slog.New(tint.NewTextHandler(to, &tint.Options{
			Level: level, TimeFormat: "2006-01-02 15:04:05.000", NoColor: !terminal,
		}))
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
