package fake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Control is the address of a running fake, by which its settings are changed.
type Control string

// Set changes the settings.
func (c Control) Set(ctx context.Context, s Settings) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = Ask(ctx, http.MethodPost, "http://"+string(c)+"/_set", bytes.NewReader(body))
	return err
}

// Counts returns the counts of calls.
func (c Control) Counts(ctx context.Context) (out Counts, err error) {
	return out, c.get(ctx, "/_counts", &out)
}

// Written returns what was written.
func (c Control) Written(ctx context.Context) (out Written, err error) {
	return out, c.get(ctx, "/_written", &out)
}

// Clear forgets what was written.
func (c Control) Clear(ctx context.Context) error {
	_, err := Ask(ctx, http.MethodPost, "http://"+string(c)+"/_clear", nil)
	return err
}

func (c Control) get(ctx context.Context, path string, out any) error {
	body, err := Ask(ctx, http.MethodGet, "http://"+string(c)+path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, out)
}

// Ask returns the body of a response over HTTP.
func Ask(ctx context.Context, method, url string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
