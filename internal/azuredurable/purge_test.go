package azuredurable_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
)

// Of a purge and a rewind at once, one wins: an instance that was rewound is there and runs.
func TestPurgeBesideRewind(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		for n := range 20 {
			id := fmt.Sprint("refused", n)
			_, err := w.start(id, fmt.Sprintf(`"+4520%06d"`, n))
			require.NoError(t, err)
			w.refuse(id)
			errs := w.AtOnce(
				func(ctx context.Context, tx *store.Tx) error {
					return azuredurable.Purge(ctx, tx, "acme", id)
				},
				func(ctx context.Context, tx *store.Tx) error {
					return azuredurable.Rewind(ctx, tx, w.tenant, id)
				},
			)
			i, err := w.get(id)
			if errs[0] == nil {
				require.ErrorIs(t, err, azuredurable.ErrUnknown)
				require.ErrorIs(t, errs[1], azuredurable.ErrUnknown)
				continue
			}
			require.ErrorIs(t, errs[0], azuredurable.ErrRunning)
			require.NoError(t, errs[1])
			require.Equal(t, azuredurable.Running, i.Status)
		}
	})
}
