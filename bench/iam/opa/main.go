// Decides the workload with OPA's Go package: policies compiled once, one prepared query a round.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"syscall"

	"github.com/open-policy-agent/opa/v1/rego"
)

type request struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Allowed  bool   `json:"allowed"`
}

type workload struct {
	Context  map[string]any `json:"context"`
	Requests []request      `json:"requests"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Processor time of this process so far, its collector's included.
func processorTime() int64 {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return used.Utime.Nano() + used.Stime.Nano()
}

func main() {
	ctx := context.Background()
	folder := os.Args[1]
	for _, name := range os.Args[2:] {
		text, err := os.ReadFile(folder + "/" + name + ".rego")
		must(err)
		data, err := os.ReadFile(folder + "/" + name + ".json")
		must(err)
		var w workload
		must(json.Unmarshal(data, &w))
		query, err := rego.New(rego.Query("data.remit.allow"), rego.Module("p.rego", string(text))).PrepareForEval(ctx)
		must(err)
		ask := func(r request) bool {
			in := map[string]any{"action": r.Action, "resource": r.Resource, "context": w.Context}
			result, err := query.Eval(ctx, rego.EvalInput(in))
			must(err)
			return result[0].Expressions[0].Value.(bool)
		}
		for _, r := range w.Requests {
			if ask(r) != r.Allowed {
				panic(name + ": " + r.Action + " on " + r.Resource)
			}
		}
		rounds := 2000
		if len(text) > 1000000 {
			rounds = 10
		} else if len(text) > 100000 {
			rounds = 200
		}
		before := processorTime()
		for i := 0; i < rounds; i++ {
			ask(w.Requests[0])
		}
		fmt.Printf("OPA\t%s\t%d\n", name, (processorTime()-before)/int64(rounds))
	}
}
