package operator

import (
	"context"
	"slices"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/gauge"
	"smsbridge/internal/health"
	"smsbridge/internal/store"
)

// nodeRow is a replica, and in what it differs from most of the others.
type nodeRow struct {
	store.Node
	Gone                               bool // it said for a minute nothing, and did not say goodbye
	OddVersion, OddSettings, OddSealed bool
}

// nodesData is the replicas, and the findings about them.
type nodesData struct {
	Nodes    []nodeRow
	Findings []health.Kind
}

func (d *Door) showNodes(c echo.Context, v visitor) error {
	p, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (page, error) {
			lately, err := store.NodesLately(ctx, view, store.NodeKept)
			alive := slices.DeleteFunc(slices.Clone(lately), func(n store.Node) bool {
				return view.Now().Sub(n.Seen) > store.NodeGone
			})
			data := nodesData{Findings: findingsOf(alive)}
			for _, n := range lately {
				data.Nodes = append(data.Nodes, compared(n, alive))
			}
			return page{Title: "Nodes", Current: "nodes", Now: view.Now(), Data: data}, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	return d.show(c, v, "nodes", p)
}

// findingsOf are the findings about replicas, as the monitor words them.
func findingsOf(alive []store.Node) (found []health.Kind) {
	differ := gauge.Differ(alive)
	for _, kind := range health.Kinds() {
		if slices.Contains(differ, kind.Code) {
			found = append(found, kind)
		}
	}
	return found
}

// compared says in what a replica differs: what no more than half of those have that live. Settings
// are compared among those of its version, as the finding does.
func compared(n store.Node, alive []store.Node) nodeRow {
	row := nodeRow{Node: n, Gone: !slices.Contains(alive, n)}
	if row.Gone {
		return row
	}
	var same []store.Node
	for _, other := range alive {
		if other.Version == n.Version {
			same = append(same, other)
		}
	}
	row.OddVersion = odd(alive, func(o store.Node) bool { return o.Version == n.Version })
	row.OddSettings = odd(same, func(o store.Node) bool { return o.Settings == n.Settings })
	row.OddSealed = odd(alive, func(o store.Node) bool { return o.KeyID == n.KeyID })
	return row
}

func odd(nodes []store.Node, like func(store.Node) bool) bool {
	n := 0
	for _, one := range nodes {
		if like(one) {
			n++
		}
	}
	return n < len(nodes) && 2*n <= len(nodes)
}
