package main

import (
	"context"
	"errors"
)

type demoCommand struct{}

func (demoCommand) Run(context.Context, world) error { return errors.New("not here yet") }
