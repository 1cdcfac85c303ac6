package store

import (
	"encoding/json"
	"fmt"
)

// bundleSize is how many jobs one row of the queue has at most. Several workers, and several
// replicas, share a burst of them.
const bundleSize = 32

// Bundle is several jobs of one kind that transactions which shared a commit made due: one row of
// the queue. A row costs the queue more than most jobs do: it is written, read, begun and ended.
type Bundle struct {
	// Of is the kind of the jobs.
	Of string `json:"of"`
	// Jobs has the arguments of each.
	Jobs []json.RawMessage `json:"jobs"`
}

// Kind names the row in the queue.
func (Bundle) Kind() string { return "bundle" }

// bundle puts the jobs that are due now together by kind. One that is alone of its kind, or due
// later, keeps a row of its own. The order within a kind stays.
func bundle(jobs []queued) ([]queued, error) {
	kinds := map[string]int{} // how many are due now
	for _, j := range jobs {
		if j.InsertOpts == nil {
			kinds[j.Args.Kind()]++
		}
	}
	var (
		rows []queued
		open = map[string]*Bundle{}
	)
	for _, j := range jobs {
		kind := j.Args.Kind()
		if j.InsertOpts != nil || kinds[kind] == 1 {
			rows = append(rows, j)
			continue
		}
		args, err := json.Marshal(j.Args)
		if err != nil {
			return nil, fmt.Errorf("store: a job of kind %s: %w", kind, err)
		}
		b := open[kind]
		if b == nil || len(b.Jobs) == bundleSize {
			b = &Bundle{Of: kind}
			open[kind] = b
			rows = append(rows, queued{Args: b})
		}
		b.Jobs = append(b.Jobs, args)
	}
	return rows, nil
}
