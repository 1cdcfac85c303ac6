package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
)

// resealAtOnce is how many values are read, and then sealed anew in one transaction. Between the
// transactions others have their turn.
const resealAtOnce = 100

// Reseal seals anew, with the first key, what older keys sealed, and returns how many values it
// moved. It ends early with the context's error, and may be called again then. Several replicas may
// do it at once: a value that another caller changed meanwhile stays as that caller left it.
func (s *Store) Reseal(ctx context.Context) (moved int, err error) {
	if len(s.sealer) < 2 {
		return 0, nil
	}
	for _, c := range sealedColumns() {
		after := ""
		for {
			batch, err := s.sealedByOthers(ctx, c, after)
			if err != nil || len(batch) == 0 {
				if err != nil {
					return moved, err
				}
				break
			}
			n, err := s.resealBatch(ctx, c, batch)
			if moved += n; err != nil {
				return moved, err
			}
			after = batch[len(batch)-1].place.ID
		}
	}
	return moved, nil
}

// sealedValue is a sealed value where it lies.
type sealedValue struct {
	place  Place
	sealed string
}

// sealedByOthers reads the next values of a column, by id, that the first key has not sealed. It
// may read the whole table for that: no connection that writes waits for it.
func (s *Store) sealedByOthers(
	ctx context.Context, c sealedColumn, after string,
) (batch []sealedValue, err error) {
	mine := sealedBy(s.sealer[0].id)
	query := fmt.Sprintf("SELECT id, tenant, %[2]s FROM %[1]s WHERE id > $1 AND length(%[2]s) > 0"+
		" AND substr(%[2]s, 1, %[3]d) <> $2 ORDER BY id LIMIT %[4]d",
		c.table, c.column, len(mine), resealAtOnce)
	rows, err := s.engine.beside().QueryContext(ctx, query, after, c.parameter(mine))
	if err != nil {
		return nil, fmt.Errorf("store: reading what an older key sealed: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v := sealedValue{place: Place{Table: c.table, Column: c.column}}
		if err := rows.Scan(&v.place.ID, &v.place.Tenant, &v.sealed); err != nil {
			return nil, err
		}
		batch = append(batch, v)
	}
	return batch, rows.Err()
}

// resealBatch seals values anew in one transaction. A value that no key opens stays as it is.
func (s *Store) resealBatch(
	ctx context.Context, c sealedColumn, batch []sealedValue,
) (moved int, err error) {
	update := fmt.Sprintf("UPDATE %[1]s SET %[2]s = $1 WHERE id = $2 AND %[2]s = $3",
		c.table, c.column)
	err = inTransaction(ctx, s.engine.database(), func(tx *sql.Tx) error {
		for _, v := range batch {
			anew, err := s.sealer.moveKey(v, c.binary)
			if err != nil {
				continue
			}
			done, err := tx.ExecContext(ctx, update, anew, v.place.ID, c.parameter(v.sealed))
			if err != nil {
				return fmt.Errorf("store: resealing: %w", err)
			}
			n, err := done.RowsAffected()
			if err != nil {
				return fmt.Errorf("store: resealing: %w", err)
			}
			moved += int(n)
		}
		return nil
	})
	return moved, err
}

// ErrKeyInUse says that a key is configured, so that it is not to be forgotten.
var ErrKeyInUse = errors.New("store: the key is configured")

// ErrKeyRuns says that a replica that runs seals with a key.
var ErrKeyRuns = errors.New("store: a replica runs with the key")

// Forget has a bridge start without a key that is lost for good. What that key sealed stays sealed:
// its mails, links and codes are lost. If the digests' key is among that, the next start makes
// another, and no phone of before is recognized any more: neither those that opted out. It reports
// whether the database knew the key.
//
// It returns ErrKeyInUse for a key that is configured, and ErrKeyRuns for one with which a replica
// seals: that is not lost.
func Forget(ctx context.Context, o Options, id string) (known bool, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.existing(); err != nil {
		return false, err
	}
	given, err := o.sealer()
	if err != nil {
		return false, err
	}
	if given.has(id) {
		return false, ErrKeyInUse
	}
	e, err := openEngine(ctx, &o, river.NewWorkers())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if err := sealedByNone(ctx, e, id); err != nil {
		return false, err
	}
	begins := sealedBy(id)
	query := fmt.Sprintf("DELETE FROM secret WHERE substr(value, 1, %d) = $1", len(begins))
	if _, err := e.database().ExecContext(ctx, query, begins); err != nil {
		return false, fmt.Errorf("store: forgetting what a key sealed: %w", err)
	}
	done, err := e.database().ExecContext(ctx, "DELETE FROM seal_key WHERE id = $1", id)
	if err != nil {
		return false, fmt.Errorf("store: forgetting a key: %w", err)
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// sealedByNone returns ErrKeyRuns when a replica that lives seals with a key. It asks nothing where
// this process alone has the database. One that was killed there may look as if it lived.
func sealedByNone(ctx context.Context, e engine, id string) error {
	if !e.alone().IsZero() {
		return nil
	}
	queries, now, err := e.read(ctx)
	if err != nil {
		return fmt.Errorf("store: looking for replicas: %w", err)
	}
	nodes, err := Nodes(ctx, &reader{Queries: queries, now: now})
	if err != nil {
		return fmt.Errorf("store: looking for replicas: %w", err)
	}
	for _, n := range nodes {
		if n.KeyID == id {
			return fmt.Errorf("%w: on %s", ErrKeyRuns, n.Host)
		}
	}
	return nil
}

// existing returns an error unless there are keys, and a SQLite file. It reads the keys beside that
// file when none are given. It creates nothing.
func (o *Options) existing() error {
	path, isSQLite := strings.CutPrefix(o.URL, "sqlite:")
	if !isSQLite {
		if o.Key == nil {
			return errNoPostgresKey
		}
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if o.Key == nil {
		return o.take(keysBeside(path))
	}
	return nil
}

// beside opens a database for reading, and reads the keys beside a SQLite file. It creates nothing.
func beside(o *Options) (*sql.DB, error) {
	if err := o.existing(); err != nil {
		return nil, err
	}
	if path, isSQLite := strings.CutPrefix(o.URL, "sqlite:"); isSQLite {
		return openReading(path)
	}
	config, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config.ConnConfig), nil
}

// KeyUse says what one key does in a database.
type KeyUse struct {
	ID     string
	Given  bool // it is configured
	Seals  bool // it is the one that seals new values
	New    bool // no bridge has sealed with it yet
	Values int  // how many values it has sealed
}

// Keys tells of each key, the configured ones first, what it seals now. It changes nothing, and a
// bridge may be running on the database. It reads whole tables.
func Keys(ctx context.Context, o Options) (uses []KeyUse, err error) {
	conn, err := beside(&o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	given, err := o.sealer()
	if err != nil {
		return nil, err
	}
	catalog := postgresColumns
	if strings.HasPrefix(o.URL, "sqlite:") {
		catalog = sqliteColumns
	}
	return keyUse(ctx, conn, catalog, given)
}

// Each lists the columns of a database, as TABLE.COLUMN.
const (
	sqliteColumns = "SELECT m.name || '.' || c.name" +
		" FROM sqlite_schema m, pragma_table_info(m.name) c"
	postgresColumns = "SELECT table_name || '.' || column_name FROM information_schema.columns" +
		" WHERE table_schema = current_schema()"
)

// keyUse reads tables of an older version, too: those of a backup from before an update, or of a
// bridge that has not started since. The catalog is the query for the columns.
func keyUse(
	ctx context.Context, conn *sql.DB, catalog string, given sealer,
) (uses []KeyUse, err error) {
	there, err := column(ctx, conn, catalog)
	if err != nil {
		return nil, fmt.Errorf("store: listing columns: %w", err)
	}
	sealed := slices.DeleteFunc(sealedColumns(), func(c sealedColumn) bool {
		return !slices.Contains(there, c.table+"."+c.column)
	})
	read := keyIDs
	if !slices.Contains(there, "seal_key.id") {
		read = sealed.keyIDs
	}
	ids, err := read(ctx, conn)
	if err != nil {
		return nil, err
	}
	for i, id := range given.ids() {
		uses = append(uses, KeyUse{
			ID: id, Given: true, Seals: i == 0, New: !slices.Contains(ids, id),
		})
	}
	for _, id := range ids {
		if !given.has(id) {
			uses = append(uses, KeyUse{ID: id})
		}
	}
	for i := range uses {
		if uses[i].Values, err = sealed.count(ctx, conn, uses[i].ID); err != nil {
			return nil, err
		}
	}
	return uses, nil
}
