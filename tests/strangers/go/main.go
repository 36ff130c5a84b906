// Readers of event streams in Go, as their own pages say to use them.
//
// `strangers NAME URL` prints ["event", data] for each event of type `message`, and ["ended", how] when the library
// stops by itself.
package main

import (
	"encoding/json"
	"net/http"
	"os"

	r3labs "github.com/r3labs/sse/v2"
	tmaxmax "github.com/tmaxmax/go-sse"
)

func tell(kind, text string) {
	if err := json.NewEncoder(os.Stdout).Encode([]string{kind, text}); err != nil {
		panic(err)
	}
}

func followR3labs(url string) error {
	return r3labs.NewClient(url).SubscribeRaw(func(event *r3labs.Event) {
		if len(event.Event) == 0 {
			tell("event", string(event.Data))
		}
	})
}

func followTmaxmax(url string) error {
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	connection := tmaxmax.NewConnection(request)
	connection.SubscribeMessages(func(event tmaxmax.Event) { tell("event", event.Data) })
	return connection.Connect()
}

func main() {
	follow := map[string]func(string) error{"r3labs/sse": followR3labs, "tmaxmax/go-sse": followTmaxmax}
	if err := follow[os.Args[1]](os.Args[2]); err != nil {
		tell("ended", err.Error())
	} else {
		tell("ended", "returned")
	}
}
