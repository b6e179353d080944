package evaluator

// Makes windows of commits by chance and asks Burrow's own rules about each. See README.md beside this file.

import (
	"fmt"
	"math/rand"
	"os"
	"strings"
	"testing"

	"github.com/linkedin/Burrow/core/protocol"
)

// How many windows of each verdict are kept, so that the rare ones are there too.
const keep = 60

func TestVerdicts(t *testing.T) {
	chance := rand.New(rand.NewSource(20261126))
	kept := map[string]int{}
	var lines []string
	for tries := 0; tries < 200000; tries++ {
		line, verdict := window(chance)
		if kept[verdict] < keep || verdict == "OK" && kept[verdict] < 3*keep { // it has several reasons
			kept[verdict]++
			lines = append(lines, line+" "+verdict)
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(os.Getenv("VERDICTS"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Small numbers, so that neighbours on both sides of each limit come up.
func window(chance *rand.Rand) (string, string) {
	count := 1 + chance.Intn(6)
	at := int64(1000000 + 500*chance.Intn(3))
	offset := int64(100 + chance.Intn(5))
	steps := [][]int64{{0}, {1, 2, 3}, {0, 1, 2}, {-2, 0, 2, 4}, {-1, 1}}[chance.Intn(5)]
	none := chance.Intn(4) == 0
	level := chance.Intn(3) != 0
	var commits []*protocol.ConsumerOffset
	var shown []string
	for n := 0; n < count; n++ {
		if n > 0 {
			at += int64(500 * chance.Intn(4))
			offset += steps[chance.Intn(len(steps))]
		}
		commit := &protocol.ConsumerOffset{Offset: offset, Timestamp: at}
		lag := "-"
		if !none || chance.Intn(3) != 0 {
			least := 1
			if level {
				least = 0
			}
			commit.Lag = &protocol.Lag{Value: uint64(least + chance.Intn(4))}
			lag = fmt.Sprint(commit.Lag.Value)
		}
		commits = append(commits, commit)
		shown = append(shown, fmt.Sprintf("%d:%d:%s", at, offset, lag))
	}
	// The ends that were seen, the newest last; the newest is rarely behind what was committed.
	end := offset + int64(chance.Intn(5)-1)
	ends := []int64{end}
	for n := chance.Intn(4); n > 0; n-- {
		end -= int64(chance.Intn(4))
		ends = append([]int64{end}, ends...)
	}
	lag := ends[len(ends)-1] - offset
	if lag < 0 {
		lag = 0
	}
	span := at - commits[0].Timestamp
	now := (at+[]int64{0, span / 2, span, span + 1000, 10000}[chance.Intn(5)])/1000 + int64(chance.Intn(2))
	verdict := calculatePartitionStatus(commits, ends, uint64(lag), now, 0)
	seen := strings.Trim(strings.ReplaceAll(fmt.Sprint(ends), " ", ","), "[]")
	return fmt.Sprintf("now=%d ends=%s commits=%s", now*1000, seen, strings.Join(shown, ",")), verdict.String()
}
