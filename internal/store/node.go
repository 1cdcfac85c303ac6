package store

import (
	"context"
	"time"

	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Node is one process that works on the database.
type Node struct {
	ID       string    `json:"id"` // of this start of it
	Host     string    `json:"host"`
	Version  string    `json:"version"`
	Settings string    `json:"settings"` // the fingerprint of its settings
	KeyID    string    `json:"key"`      // names the key that seals
	Since    time.Time `json:"since"`
	Seen     time.Time `json:"seen"`
}

// NodeGone is how long a process may say nothing until it counts as gone.
const NodeGone = time.Minute

// Beat records that a process lives.
func Beat(ctx context.Context, tx *Tx, n Node) error {
	return tx.BeatNode(ctx, db.BeatNodeParams{
		ID: n.ID, Host: n.Host, Version: n.Version, Settings: n.Settings, KeyID: n.KeyID,
		Since: moment.Of(n.Since), SeenAt: tx.Moment(),
	})
}

// Leave records that a process stops.
func Leave(ctx context.Context, tx *Tx, id string) error { return tx.DropNode(ctx, id) }

// NodeKept is how long a process is known that ended without saying so.
const NodeKept = 24 * time.Hour

// Nodes returns the processes that live, at most 100.
func Nodes(ctx context.Context, view View) (nodes []Node, err error) {
	return NodesLately(ctx, view, NodeGone)
}

// NodesLately returns the processes that said within a time that they live, the last that did so
// first; at most 100.
func NodesLately(ctx context.Context, view View, within time.Duration) (nodes []Node, err error) {
	rows, err := view.NodesSeenSince(ctx, view.Moment().Add(-within))
	for _, row := range rows {
		nodes = append(nodes, Node{
			row.ID, row.Host, row.Version, row.Settings, row.KeyID, row.Since.Time, row.SeenAt.Time,
		})
	}
	return nodes, err
}
