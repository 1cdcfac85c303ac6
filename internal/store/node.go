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

// Nodes returns the processes that live, at most 100.
func Nodes(ctx context.Context, view View) (nodes []Node, err error) {
	rows, err := view.NodesSeenSince(ctx, view.Moment().Add(-NodeGone))
	for _, row := range rows {
		nodes = append(nodes, Node{
			row.ID, row.Host, row.Version, row.Settings, row.KeyID, row.Since.Time, row.SeenAt.Time,
		})
	}
	return nodes, err
}
