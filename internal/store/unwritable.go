package store

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// unwritable remembers that the database could be read but not written when it was written last,
// as with a full disk. The bridge writes now and then by itself, so it is found out when that is
// over.
type unwritable struct{ last atomic.Pointer[error] }

// note hears how a transaction ended.
func (u *unwritable) note(err error) {
	switch {
	case err == nil:
		u.last.Store(nil)
	case refusesToWrite(err):
		u.last.Store(&err)
	}
}

// err is why nothing could be written last, or nil.
func (u *unwritable) err() error {
	if last := u.last.Load(); last != nil {
		return *last
	}
	return nil
}

// diskFull is PostgreSQL's disk_full.
//
// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
const diskFull = "53100"

// refusesToWrite reports whether an error says that the database cannot write: SQLITE_READONLY,
// SQLITE_IOERR or SQLITE_FULL, or that PostgreSQL's disk is full.
//
// Source: https://sqlite.org/rescode.html
func refusesToWrite(err error) bool {
	var refused *pgconn.PgError
	var failed *sqlite.Error
	return errors.As(err, &refused) && refused.Code == diskFull ||
		errors.As(err, &failed) && slices.Contains([]int{8, 10, 13}, failed.Code()&0xff)
}
