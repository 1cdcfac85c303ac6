//go:build !race

package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// Ensure that every story comes true on both databases.
func TestStories(t *testing.T) {
	databases := map[string]func(t *testing.T) string{
		"sqlite":   storetest.SQLite,
		"postgres": storetest.PostgreSQL,
	}
	stories, err := filepath.Glob("testdata/story/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatal("there are no stories", err)
	}
	// These start many commands, or wait for sweeps and for mails that come again.
	long := []string{
		"answers", "backup", "bugreport", "case", "config", "country", "doctor", "duplicates",
		"events", "forged", "forget", "health", "limits", "lost-answer", "lost-key", "metrics",
		"new-key", "no-text", "optout", "resend", "reset", "restart", "second-mail", "tap",
		"test-number", "traces", "trigger", "try", "usage", "why",
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, story := range stories {
				title := strings.TrimSuffix(filepath.Base(story), ".txt")
				t.Run(title, func(t *testing.T) {
					t.Parallel()
					if slices.Contains(long, title) {
						longtest.Skip(t)
					}
					url := database(t)
					testscript.Run(t, testscript.Params{
						Files: []string{story},
						Setup: func(e *testscript.Env) error { return setScene(e, url) },
						Cmds:  storyCommands(),
						Condition: func(condition string) (bool, error) {
							if condition != "replicas" {
								return false, errors.New("the stories know the condition replicas alone")
							}
							return name == "postgres", nil
						},
					})
				})
			}
		})
	}
}
