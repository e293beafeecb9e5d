// Decodes a dashboard strictly by Grafana's own schema, and prints each disagreement.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var board dashboard.Dashboard
	for _, err := range []error{board.UnmarshalJSONStrict(json.RawMessage(raw)), board.Validate()} {
		// An empty list of errors is none, but is not nil either.
		if err != nil && err.Error() != "" {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}
