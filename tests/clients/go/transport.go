package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
)

// Go's own client with the proxy of the environment; it reads SSL_CERT_FILE by itself.
func transport() *http.Transport {
	pool, _ := x509.SystemCertPool()
	if pem, err := os.ReadFile(os.Getenv("AWS_CA_BUNDLE")); err == nil && pool != nil {
		pool.AppendCertsFromPEM(pem)
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: pool}}
}
