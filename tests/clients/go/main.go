// The AWS SDK for Go v2 as it is, in the environment that Remit gave. Where the requests go (AWS_ENDPOINT_URL,
// HTTPS_PROXY) and which certificates count is the environment's to say; nothing here names an address.
//
//	client s3 FORM SIZE BUCKET KEY PATTERN   put the pattern in one form, read it back
//	client services                          one write and one read of each of several services
//	client mrap ARN KEY                      put and get through a multi-region access point (SigV4a)
//	client events MODEL                      a stream of signed messages, each answered before the next
//
// Prints one JSON line for each step: {"step", "ok", "error"}.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrocktypes "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func step(name string, err error) {
	line := map[string]any{"step": name, "ok": err == nil}
	if err != nil {
		line["error"] = err.Error()
	}
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

// The pattern as a reader that takes no room; seekable, as the SDK's multipart manager likes it.
type source struct {
	period   []byte
	at, size int64
}

func (s *source) Read(into []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	from := s.at % int64(len(s.period))
	count := copy(into, s.period[from:min(int64(len(s.period)), from+s.size-s.at)])
	s.at += int64(count)
	return count, nil
}

func (s *source) Seek(offset int64, whence int) (int64, error) {
	s.at = offset + []int64{0, s.at, s.size}[whence]
	return s.at, nil
}

func hash(reader io.Reader) (string, error) {
	digest := sha256.New()
	_, err := io.Copy(digest, reader)
	return hex.EncodeToString(digest.Sum(nil)), err
}

func same(got io.Reader, period []byte, size int64) error {
	wanted, _ := hash(&source{period: period, size: size})
	found, err := hash(got)
	if err == nil && found != wanted {
		err = errors.New("what was read back is not what was written")
	}
	return err
}

// A presigned URL, used by an ordinary HTTP client.
func fetch(method, url string, headers http.Header, body []byte) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequest(method, url, reader)
	if err != nil {
		return nil, err
	}
	for name, values := range headers {
		if name != "Host" {
			request.Header[name] = values
		}
	}
	client := http.Client{Transport: transport()}
	answer, err := client.Do(request)
	if err == nil && answer.StatusCode/100 != 2 {
		text, _ := io.ReadAll(answer.Body)
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return answer, err
}

func runS3(ctx context.Context, settings aws.Config, form string, size int64, bucket, key, patternFile string) error {
	period, err := os.ReadFile(patternFile)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(settings)
	var whole []byte
	if form != "stream" && form != "multipart" {
		whole, _ = io.ReadAll(&source{period: period, size: size})
	}
	input := &s3.PutObjectInput{Bucket: &bucket, Key: &key}
	presigner := s3.NewPresignClient(client)
	switch form {
	case "buffer":
		input.Body = bytes.NewReader(whole)
		_, err = client.PutObject(ctx, input)
	case "stream":
		input.Body = &source{period: period, size: size}
		_, err = client.PutObject(ctx, input)
	case "unsigned":
		input.Body = bytes.NewReader(whole)
		_, err = client.PutObject(ctx, input, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware),
			func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	case "multipart":
		input.Body = &source{period: period, size: size}
		uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = 5 << 20; u.Concurrency = 2 })
		_, err = uploader.Upload(ctx, input)
	case "presigned":
		var url *v4.PresignedHTTPRequest
		if url, err = presigner.PresignPutObject(ctx, input); err == nil {
			_, err = fetch(url.Method, url.URL, url.SignedHeader, whole)
		}
	default:
		return errors.New("no such form")
	}
	if err != nil {
		return err
	}
	if form == "presigned" {
		url, err := presigner.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if err != nil {
			return err
		}
		answer, err := fetch("GET", url.URL, url.SignedHeader, nil)
		if err != nil {
			return err
		}
		return same(answer.Body, period, size)
	}
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err
	}
	return same(got.Body, period, size)
}

func runServices(ctx context.Context, settings aws.Config) {
	stamp := "go" + strconv.FormatInt(time.Now().UnixNano(), 36)
	_, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	step("sts", err)

	db := dynamodb.NewFromConfig(settings)
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"),
		Item: map[string]dbtypes.AttributeValue{"id": &dbtypes.AttributeValueMemberS{Value: stamp}}})
	if err == nil {
		_, err = db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("orders"),
			Key: map[string]dbtypes.AttributeValue{"id": &dbtypes.AttributeValueMemberS{Value: stamp}}})
	}
	step("dynamodb", err)

	queues := sqs.NewFromConfig(settings)
	made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &stamp})
	if err == nil {
		_, err = queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String("hello")})
	}
	if err == nil {
		var got *sqs.ReceiveMessageOutput
		if got, err = queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl}); err == nil &&
			(len(got.Messages) != 1 || *got.Messages[0].Body != "hello") {
			err = errors.New("another message came back")
		}
	}
	step("sqs", err)

	topics := sns.NewFromConfig(settings)
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &stamp})
	if err == nil {
		_, err = topics.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("hello & goodbye + more")})
	}
	step("sns", err)

	_, err = lambda.NewFromConfig(settings).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	step("lambda", err)

	keys := kms.NewFromConfig(settings)
	created, err := keys.CreateKey(ctx, &kms.CreateKeyInput{})
	if err == nil {
		var sealed *kms.EncryptOutput
		if sealed, err = keys.Encrypt(ctx, &kms.EncryptInput{KeyId: created.KeyMetadata.KeyId, Plaintext: []byte("hello")}); err == nil {
			_, err = keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
		}
	}
	step("kms", err)

	secrets := secretsmanager.NewFromConfig(settings)
	_, err = secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &stamp, SecretString: aws.String("hello")})
	if err == nil {
		_, err = secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &stamp})
	}
	step("secretsmanager", err)

	logs := cloudwatchlogs.NewFromConfig(settings)
	_, err = logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &stamp})
	if err == nil {
		_, err = logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &stamp, LogStreamName: &stamp})
	}
	if err == nil {
		_, err = logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &stamp, LogStreamName: &stamp,
			LogEvents: []logtypes.InputLogEvent{{Message: aws.String("hello"), Timestamp: aws.Int64(time.Now().UnixMilli())}}})
	}
	step("logs", err)
}

// Puts and gets through an access point that has no region: signed with SigV4a.
func runMultiRegion(ctx context.Context, settings aws.Config, arn, key string) {
	client := s3.NewFromConfig(settings)
	_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &arn, Key: &key, Body: bytes.NewReader([]byte("hello"))})
	step("put", err)
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &arn, Key: &key})
	if err == nil {
		var text []byte
		if text, err = io.ReadAll(got.Body); err == nil && string(text) != "hello" {
			err = fmt.Errorf("read %q", text)
		}
	}
	step("get", err)
}

// A conversation with a model: the SDK insists on HTTP/2 for it.
func runEvents(ctx context.Context, settings aws.Config, model string) error {
	client := bedrockruntime.NewFromConfig(settings)
	output, err := client.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: &model})
	if err != nil {
		return err
	}
	stream := output.GetStream()
	defer stream.Close()
	for number := range 5 {
		text := fmt.Sprintf("message %d", number)
		part := bedrocktypes.BidirectionalInputPayloadPart{Bytes: []byte(text)}
		if err := stream.Send(ctx, &bedrocktypes.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: part}); err != nil {
			return err
		}
		answer, open := <-stream.Events()
		if !open {
			return fmt.Errorf("the answer ended at message %d: %w", number, stream.Err())
		}
		chunk, right := answer.(*bedrocktypes.InvokeModelWithBidirectionalStreamOutputMemberChunk)
		if !right || string(chunk.Value.Bytes) != text {
			return fmt.Errorf("another answer than message %d", number)
		}
	}
	return stream.Close()
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	settings, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(1))
	if err != nil {
		step("config", err)
		return
	}
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "s3":
		size, _ := strconv.ParseInt(arguments[1], 10, 64)
		step("s3", runS3(ctx, settings, arguments[0], size, arguments[2], arguments[3], arguments[4]))
	case "services":
		runServices(ctx, settings)
	case "events":
		step("events", runEvents(ctx, settings, arguments[0]))
	case "mrap":
		runMultiRegion(ctx, settings, arguments[0], arguments[1])
	}
}
