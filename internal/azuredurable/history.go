package azuredurable

import (
	"context"
	"encoding/json"
	"time"

	"smsbridge/internal/store"
)

// The steps of an instance in the timeline.
const (
	started    = "durable.started"
	sent       = "durable.sent" // with the deadline
	raised     = "durable.raised"
	suspended  = "durable.suspended"
	resumed    = "durable.resumed"
	rewound    = "durable.rewound"
	terminated = "durable.terminated"
	failed     = "durable.failed" // with the reason
)

// Step is one line of an instance's history. No step holds a code, neither the one that was texted
// nor one that was presented.
//
// Source: https://github.com/Azure/durabletask, src/DurableTask.Core/History
type Step struct {
	EventType           string          `json:"EventType"`
	FunctionName        string          `json:"FunctionName,omitempty"`
	Name                string          `json:"Name,omitempty"`
	Input               json.RawMessage `json:"Input,omitempty"`
	ScheduledTime       *time.Time      `json:"ScheduledTime,omitempty"`
	FireAt              *time.Time      `json:"FireAt,omitempty"`
	OrchestrationStatus Status          `json:"OrchestrationStatus,omitempty"`
	Result              json.RawMessage `json:"Result,omitempty"`
	Timestamp           time.Time       `json:"Timestamp"`
}

// History returns the steps of an instance so far, at most 1000 and a few.
func History(ctx context.Context, tx store.View, i Instance) ([]Step, error) {
	events, err := tx.EventsOf(ctx, i.row.ID)
	if err != nil {
		return nil, err
	}
	steps := make([]Step, 0, len(events)+3)
	for _, e := range events {
		at := e.At.Time
		switch e.Name {
		case started:
			steps = append(steps, Step{
				EventType: "ExecutionStarted", FunctionName: Function, Input: i.Input, Timestamp: at,
			})
		case sent:
			deadline, _ := time.Parse(time.RFC3339Nano, e.Detail)
			steps = append(steps, Step{
				EventType: "TaskCompleted", FunctionName: Activity, ScheduledTime: &at, Timestamp: at,
			}, Step{EventType: "TimerCreated", FireAt: &deadline, Timestamp: at})
		case raised:
			steps = append(steps, Step{EventType: "EventRaised", Name: Event, Timestamp: at})
		case suspended:
			steps = append(steps, Step{EventType: "ExecutionSuspended", Timestamp: at})
		case resumed:
			steps = append(steps, Step{EventType: "ExecutionResumed", Timestamp: at})
		case rewound:
			steps = append(steps, Step{EventType: "ExecutionRewound", Timestamp: at})
		case terminated:
			steps = append(steps, Step{
				EventType: "ExecutionTerminated", OrchestrationStatus: Terminated, Timestamp: at,
			})
		case failed:
			steps = append(steps, Step{
				EventType: "ExecutionCompleted", OrchestrationStatus: Failed,
				Result: encode(e.Detail), Timestamp: at,
			})
		}
	}
	if i.timedOut {
		steps = append(steps, Step{
			EventType: "TimerFired", FireAt: &i.deadline, Timestamp: i.deadline,
		})
	}
	if i.Status == Completed || i.Status == Canceled || i.reason != "" {
		steps = append(steps, Step{
			EventType: "ExecutionCompleted", OrchestrationStatus: i.Status, Result: i.Output,
			Timestamp: i.Updated,
		})
	}
	return steps, nil
}
