package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"smsbridge/internal/operator"
	"smsbridge/internal/store"
)

// The helps are in backupHelps, since a tag cannot be broken into lines.
type backupCommand struct {
	File   string `arg:"" help:"The file to write. It must not exist."`
	Config string `help:"${backup_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
}

type restoreCommand struct {
	File    string `arg:"" help:"The file that smsbridge backup wrote."`
	Config  string `help:"${backup_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	Replace bool   `help:"${restore_replace}"`
}

// backupHelps returns the helps of the flags, by the names that their tags have.
func backupHelps() kong.Vars {
	return kong.Vars{
		"backup_config": "The file of settings that the bridge is started with, if it has one.",
		"restore_replace": "Restore although there is a database already, which stays beside the " +
			"new one under another name.",
	}
}

// Help is shown by smsbridge backup --help.
func (backupCommand) Help() string {
	return "It copies the SQLite database into one file and reads the copy back before it says so. " +
		"The bridge may be running. It reads the same settings as serve.\n\n" +
		"  smsbridge backup /backup/smsbridge-$(date +%F).db\n\n" +
		"Never copy the database with cp: what came last is in the file beside it that ends in -wal. " +
		"The key that opens what is sealed is not in the backup. Keep it apart: who has both can " +
		"read everything. PostgreSQL has a tool of its own: pg_dump."
}

// Help is shown by smsbridge restore --help.
func (restoreCommand) Help() string {
	return "It puts a backup in the place of the SQLite database that the settings name, and checks " +
		"it first: that it is whole, that this smsbridge knows its tables, and that the configured " +
		"key opens what is sealed in it. Stop the bridge before.\n\n" +
		"  smsbridge restore /backup/smsbridge-2026-01-31.db\n\n" +
		"A key that lay in a file beside the database is put there first, under the name of the " +
		"database with .key at its end. What happened after the backup is forgotten: a text that " +
		"was due then and whose time has not passed is sent again."
}

// Run writes a backup.
func (b backupCommand) Run(ctx context.Context, w world) error {
	if b.File == "-" {
		return mistake{"a backup is not written to the standard output",
			"name a file: the copy is read back, which a pipe cannot be"}
	}
	options, err := optionsOf(ctx, b.Config, w)
	if err != nil {
		return err
	}
	made, err := store.Backup(ctx, options, b.File, func(bytes int64) {
		fmt.Fprintf(w.stderr, "smsbridge: %s written …\n", size(bytes))
	})
	if errors.Is(err, fs.ErrExist) {
		return mistake{b.File + " exists already", "give the name of a new file; none is replaced"}
	}
	folder := filepath.Dir(b.File)
	if _, missing := os.Stat(folder); err != nil && errors.Is(missing, fs.ErrNotExist) {
		return mistake{"there is no folder " + folder, "make it first, or name a file in another one"}
	}
	if err != nil {
		return explainCopy(err, options)
	}
	fmt.Fprintf(w.stdout, "%s: %s, written and read back\n", b.File, size(made.Bytes))
	if err := b.record(ctx, w, size(made.Bytes)); err != nil {
		fmt.Fprintln(w.stderr, "smsbridge: warning: the backup is whole, and could not be recorded: "+
			reason(err))
	}
	return w.describe(made)
}

// backupAct is how the audit names a backup. doctor tells the last one.
const backupAct = "backup"

// record says in the audit that there is a backup. It does not say where.
func (b backupCommand) record(ctx context.Context, w world, size string) (err error) {
	st, _, err := w.beside(ctx, b.Config)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	return st.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return operator.Record(ctx, tx, operator.Act{
			Operator: actor(ownName()), Act: backupAct, Detail: size,
		})
	})
}

// Run puts a backup in the database's place.
func (r restoreCommand) Run(ctx context.Context, w world) error {
	options, err := optionsOf(ctx, r.Config, w)
	if err != nil {
		return err
	}
	restored, replaced, err := store.Restore(ctx, options, r.File, r.Replace, func(bytes int64) {
		fmt.Fprintf(w.stderr, "smsbridge: %s copied …\n", size(bytes))
	})
	database := strings.TrimPrefix(options.URL, "sqlite:")
	if errors.Is(err, fs.ErrExist) {
		return mistake{"there is a database already: " + database,
			"add --replace to restore all the same; the old one stays beside it under another name"}
	}
	_, missing := os.Stat(r.File)
	if err != nil && !errors.Is(err, store.ErrNotSQLite) && errors.Is(missing, fs.ErrNotExist) {
		return mistake{"there is no file " + r.File, "name one that smsbridge backup wrote"}
	}
	if errors.Is(err, store.ErrOwnPart) {
		return mistake{r.File + " is what a restore left that did not end",
			"restore the backup itself; if that is lost, give this file another name first"}
	}
	if err != nil {
		return explainCopy(err, options)
	}
	fmt.Fprintf(w.stdout, "%s: %s, restored and read back\n", database, size(restored.Bytes))
	if replaced != "" {
		fmt.Fprintf(w.stdout, "the database that was there is now %s\n", replaced)
	}
	return w.describe(restored)
}

// describe prints what a copy holds.
func (w world) describe(c store.Copy) error {
	rows := make([]string, len(c.Rows))
	for i, t := range c.Rows {
		rows[i] = fmt.Sprintf("%s %d", t.Table, t.Rows)
	}
	fmt.Fprintf(w.stdout, "tables of version %d: %s\n", c.Version, strings.Join(rows, ", "))
	for _, use := range c.Keys {
		if use.Values > 0 {
			fmt.Fprintf(w.stdout, "the key %s opens %d sealed values in it; "+
				"the key itself is not in the file\n", use.ID, use.Values)
		}
	}
	return nil
}

// size is a number of bytes as people read it.
func size(bytes int64) string {
	switch {
	case bytes < 1<<20:
		return fmt.Sprintf("%d kB", (bytes+1023)>>10)
	case bytes < 10<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}

// optionsOf says which database the settings name, which are read as serve reads them.
func optionsOf(ctx context.Context, config string, w world) (store.Options, error) {
	settings, err := serveCommand{Config: config}.load(ctx, w.environ)
	if err != nil {
		return store.Options{}, err
	}
	return storeOptions(settings)
}

// explainCopy adds what to do to an error of a backup or a restore.
func explainCopy(err error, o store.Options) error {
	if errors.Is(err, store.ErrNotSQLite) {
		return mistake{"the database is PostgreSQL, which has tools of its own",
			"use pg_dump and pg_restore; the key in SMSBRIDGE_KEY is in neither of them"}
	}
	return explainMissing(err, o)
}
