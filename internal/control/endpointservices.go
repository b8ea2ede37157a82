package control

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// EndpointService is a service of AWS that VPC endpoints lead to. Immutable.
type EndpointService struct {
	Name       string // "com.amazonaws.us-east-1.s3"
	ID         string // "vpce-svc-..."
	Types      []string
	PrivateDNS string // the name that an interface endpoint can take over, "" none
	BaseDNS    string // of its endpoints' own names
	Policies   bool   // endpoints can have a policy
}

// interfaceServices have interface endpoints in every region here, by the last
// part of their name (AWS PrivateLink guide, "AWS services that integrate with
// AWS PrivateLink"): the ones that public templates and modules name, of about
// two hundred.
var interfaceServices = strings.Fields(`
	access-analyzer account acm-pca airflow.api airflow.env airflow.ops amplify apigateway appconfig appconfigdata
	application-autoscaling appmesh appmesh-envoy-management apprunner appstream.api appstream.streaming athena
	auditmanager autoscaling autoscaling-plans awsconnector backup backup-gateway batch bedrock bedrock-agent
	bedrock-agent-runtime bedrock-runtime cassandra cloudformation cloudhsmv2 cloudtrail codeartifact.api
	codeartifact.repositories codebuild codecommit codedeploy codedeploy-commands-secure codepipeline cognito-idp
	comprehend config connect-campaigns databrew dataexchange datasync datazone dms dynamodb ebs ec2 ec2messages ecr.api
	ecr.dkr ecs ecs-agent ecs-telemetry eks eks-auth elastic-inference.runtime elasticache elasticbeanstalk
	elasticbeanstalk-health elasticfilesystem elasticloadbalancing elasticmapreduce emr-containers emr-serverless email-smtp
	events evidently execute-api fis forecast frauddetector fsx git-codecommit glue grafana grafana-workspace greengrass
	groundstation guardduty guardduty-data imagebuilder inspector2 iot.data iotsitewise.api kafka kendra kinesis-firehose
	kinesis-streams kms lakeformation lambda license-manager logs lookoutmetrics m2 macie2 managedblockchain-query memory-db
	mgn models.lex monitoring networkmanager notebook organizations outposts payment-cryptography.controlplane
	payment-cryptography.dataplane personalize pinpoint pipes polly profile proton quicksight-website rds rds-data
	redshift redshift-data rekognition resource-groups robomaker rolesanywhere rum runtime.lex s3 s3-outposts
	sagemaker.api sagemaker.runtime savingsplans scheduler schemas secretsmanager securityhub servicecatalog
	servicediscovery ses signer snow-device-management sns sqs ssm ssm-contacts ssm-incidents ssmmessages states
	storagegateway sts support swf synthetics textract timestream.ingest-cell1 timestream.query-cell1 tagging transcribe
	transcribestreaming transfer transfer.server translate verifiedpermissions vpc-lattice wafv2 workspaces xray
`)

// privateNames are the private names that do not follow the pattern: the parts of
// the service's name the other way round, before the region.
var privateNames = map[string]string{
	"dynamodb":         "", // an endpoint has names of its own only
	"ecr.dkr":          "*.dkr.ecr",
	"execute-api":      "*.execute-api",
	"kinesis-firehose": "firehose",
	"kinesis-streams":  "kinesis",
	"s3":               "*.s3",
}

var gatewayServices = []string{"dynamodb", "s3"}

var endpointServices sync.Map // by region: []EndpointService

// EndpointServices are the services of a region, by name.
func EndpointServices(region string) []EndpointService {
	if known, ok := endpointServices.Load(region); ok {
		return known.([]EndpointService)
	}
	services := make([]EndpointService, 0, len(interfaceServices))
	for _, name := range slices.Sorted(slices.Values(interfaceServices)) {
		s := EndpointService{
			Name: "com.amazonaws." + region + "." + name, Types: []string{EndpointInterface}, Policies: true,
			BaseDNS: name + "." + region + ".vpce.amazonaws.com",
		}
		if slices.Contains(gatewayServices, name) {
			s.Types = []string{EndpointGateway, EndpointInterface}
		}
		host, special := privateNames[name]
		if !special {
			parts := strings.Split(name, ".")
			slices.Reverse(parts)
			host = strings.Join(parts, ".")
		}
		if host != "" {
			s.PrivateDNS = host + "." + region + ".amazonaws.com"
		}
		sum := sha256.Sum256([]byte(s.Name))
		s.ID = "vpce-svc-0" + hex.EncodeToString(sum[:8])
		services = append(services, s)
	}
	known, _ := endpointServices.LoadOrStore(region, services)
	return known.([]EndpointService)
}

// EndpointServiceNamed returns one service of a region, nil if there is none.
func EndpointServiceNamed(region, name string) *EndpointService {
	services := EndpointServices(region)
	at, ok := slices.BinarySearchFunc(services, name, func(s EndpointService, name string) int { return strings.Compare(s.Name, name) })
	if !ok {
		return nil
	}
	return &services[at]
}
