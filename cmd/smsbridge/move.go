package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"smsbridge/internal/store"
)

// The helps are in moveHelps, since a tag cannot be broken into lines.
type moveCommand struct {
	To     string `required:"" help:"${move_to}" placeholder:"postgres://…"`
	Config string `help:"${backup_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
}

// moveHelps returns the helps of the command and its flag, by the names that their tags have.
func moveHelps() kong.Vars {
	return kong.Vars{
		"move":    "Copy everything from the SQLite database of a stopped bridge into PostgreSQL.",
		"move_to": "An empty PostgreSQL database. Its password is better in PGPASSWORD than here.",
	}
}

// Help is shown by smsbridge move --help.
func (moveCommand) Help() string {
	return "Stop the bridge before. All rows go, opt-outs and open questions too, and the jobs that " +
		"are not done: in one transaction, so that a move which fails leaves PostgreSQL empty. The " +
		"SQLite file stays as it is. A question that was asked before is answered afterwards.\n\n" +
		"  $ systemctl stop smsbridge\n" +
		"  $ smsbridge move --to postgres://smsbridge@db.example/smsbridge\n\n" +
		"Then set SMSBRIDGE_DATABASE to that URL and SMSBRIDGE_KEY_FILE to the key, which is the one " +
		"that the SQLite database has, and start the bridge. Never start one on the file again: it " +
		"would text what the other has texted."
}

// Run moves the database.
func (m moveCommand) Run(ctx context.Context, w world) error {
	options, err := optionsOf(ctx, m.Config, w)
	if err != nil {
		return err
	}
	options.Now = w.now
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	err = store.Move(ctx, options, m.To, func(name string, rows int64) {
		if rows > 0 {
			fmt.Fprintf(table, "%s\t%d\n", name, rows)
			table.Flush()
		}
	})
	switch {
	case errors.Is(err, store.ErrNotSQLite):
		return mistake{"the settings name no SQLite database",
			"run it with the settings that the bridge had before the move"}
	case errors.Is(err, store.ErrNotPostgres):
		return mistake{"--to names no PostgreSQL database",
			"write it as postgres://user@host/database"}
	case errors.Is(err, store.ErrNotEmpty):
		return mistake{"the PostgreSQL database has rows of a bridge already",
			"nothing was moved; make an empty database with createdb, and give that"}
	case errors.Is(err, fs.ErrNotExist):
		return mistake{"there is no database " + strings.TrimPrefix(options.URL, "sqlite:"),
			"set SMSBRIDGE_DATABASE to the one that the bridge has"}
	case err != nil:
		return explainDatabase(err)
	}
	key := "SMSBRIDGE_KEY as it is"
	if options.Key == nil {
		key = "SMSBRIDGE_KEY_FILE=" + strings.TrimPrefix(options.URL, "sqlite:") + ".key"
	}
	_, err = fmt.Fprintf(w.stdout, "all of it is there now; start the bridge with that database, and "+
		"with %s\n", key)
	return err
}
