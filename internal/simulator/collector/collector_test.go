package collector_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"smsbridge/internal/simulator/collector"
)

// Ensure that the collector takes spans in protobuf alone, and refuses as often as it is told to.
func TestTakesSpans(t *testing.T) {
	c, err := collector.Open()
	require.NoError(t, err)
	t.Cleanup(c.Close)
	body, err := proto.Marshal(&collectorpb.ExportTraceServiceRequest{
		ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{
			Spans: []*tracepb.Span{{
				Name: "b", TraceId: []byte{1, 2}, StartTimeUnixNano: 2, Kind: tracepb.Span_SPAN_KIND_CLIENT,
			}, {Name: "a", StartTimeUnixNano: 1}},
		}}}},
	})
	require.NoError(t, err)
	post := func(contentType, body string) int {
		res, err := http.Post(c.URL()+"/v1/traces", contentType, strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	c.Set(func(m *collector.Manners) { m.FailNext = 1 })
	require.Equal(t, 503, post("application/x-protobuf", string(body)))
	require.Equal(t, 415, post("application/json", "{}"))
	require.Equal(t, 400, post("application/x-protobuf", "none"))
	require.Empty(t, c.Spans())
	require.Equal(t, 200, post("application/x-protobuf", string(body)))
	require.Len(t, c.Bodies(), 4)
	spans := c.Spans()
	require.Equal(t, []string{"a", "b"}, []string{spans[0].Name, spans[1].Name})
	require.Equal(t, "0102", spans[1].Trace)
	require.Equal(t, "CLIENT", spans[1].Kind)
}
