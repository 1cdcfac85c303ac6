// Package migration holds the migrations of smsbridge's own tables, one file a version, for both
// databases.
package migration

import "embed"

// Files are the migrations, in the form that goose reads.
//
//go:embed *.sql
var Files embed.FS
