//go:build !race

package operator_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that no address and no form has the bridge ask a database for what that does not take as
// text: the page would say that the bridge cannot do it now, and the log would have an error.
func TestNoText(t *testing.T) {
	each(t, func(t *testing.T, p pages) {
		b := p.login(t, "anna")
		for _, bytes := range []string{"%00", "%ff"} {
			for _, path := range []string{
				"cases/", "callbacks/", "cases?before=", "audit?before=", "callbacks?before=",
				"optouts?after=", "cases?state=%zz",
			} {
				require.Equal(t, http.StatusNotFound, b.get("/operator/"+path+bytes).StatusCode, path)
			}
		}
		for _, bytes := range []string{"\x00", "\xff"} {
			b.get("/operator/cases")
			require.Equal(t, http.StatusBadRequest, b.press("/operator/search", "for", bytes).StatusCode)
			b.get("/operator/optouts")
			require.Equal(t, http.StatusBadRequest, b.press("/operator/optouts/import", "csv",
				"+4520123456,all,,,,mail,"+bytes+",\n").StatusCode)
		}
		require.Zero(t, p.Count(t, "opt_out", "1=1"))
	})
}
