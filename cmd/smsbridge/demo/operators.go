package demo

import (
	"fmt"
	"io"
	"net"

	"smsbridge/internal/tenant"
)

// Operators is how the bridge's own pages for operators are reached in the demo.
type Operators struct {
	URL, Name, Password string

	listener, metrics net.Listener
	entry             string // of the settings
}

// openOperators opens a port for the pages, and makes a login.
func openOperators() (o Operators, err error) {
	if o.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return o, fmt.Errorf("demo: a port for the pages of operators: %w", err)
	}
	if o.metrics, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return o, fmt.Errorf("demo: a port for the metrics: %w", err)
	}
	o.URL = "http://" + o.listener.Addr().String() + "/operator"
	o.Name, o.Password = "operator", randomHex(8)
	entry, wrong := tenant.HashPassword(o.Name, tenant.Act, o.Password, tenant.DrawnCost)
	if wrong != nil {
		return o, fmt.Errorf("demo: a login for operators: %s", wrong.What)
	}
	o.entry = entry
	return o, nil
}

// environ is what the bridge is told about the pages.
func (o Operators) environ() []string {
	return []string{
		"SMSBRIDGE_OPERATOR_ADDR=" + o.listener.Addr().String(),
		"SMSBRIDGE_OPERATORS=" + o.entry,
		"SMSBRIDGE_METRICS_ADDR=" + o.metrics.Addr().String(),
	}
}

// announce says where the pages are, and how to log in.
func (o Operators) announce(w io.Writer) {
	fmt.Fprintf(w, "The bridge's own pages for operators are at %s: log in as %s, with the password "+
		"%s.\nhttp://%s has /metrics, and /readyz?verbose says how it is.\n",
		o.URL, o.Name, o.Password, o.metrics.Addr())
}
