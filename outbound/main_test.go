package outbound

import (
	"flag"
	"testing"
)

// TestMain has more tests under way than most machines have cores: a test waits for its providers.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil { // -parallel changes it
		panic(err)
	}
	m.Run()
}
