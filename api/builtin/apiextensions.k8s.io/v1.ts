// Made by tools/kinds/generate.ts from k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** The types of apiextensions.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
ConversionRequest
  uid string keep tag=1 required
  desiredAPIVersion string keep tag=2 required
  objects []RawExtension keep tag=3 required list=atomic

ConversionResponse
  uid string keep tag=1 required
  convertedObjects []RawExtension keep tag=2 required list=atomic
  result meta/v1.Status keep tag=3 required

ConversionReview
  kind string omit
  apiVersion string omit
  request ConversionRequest set tag=1
  response ConversionResponse set tag=2

CustomResourceColumnDefinition
  name string keep tag=1 required
  type string keep tag=2 required
  format string omit tag=3
  description string omit tag=4
  priority int32 omit tag=5
  jsonPath string keep tag=6 required

CustomResourceConversion
  strategy string keep tag=1 required
  webhook WebhookConversion set tag=2

CustomResourceDefinition
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec CustomResourceDefinitionSpec keep tag=2 required
  status CustomResourceDefinitionStatus keep tag=3

CustomResourceDefinitionCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5
  observedGeneration int64 omit tag=6

CustomResourceDefinitionList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []CustomResourceDefinition keep tag=2 required

CustomResourceDefinitionNames
  plural string keep tag=1 required
  singular string omit tag=2
  shortNames []string omit tag=3 list=atomic
  kind string keep tag=4 required
  listKind string omit tag=5
  categories []string omit tag=6 list=atomic

CustomResourceDefinitionSpec
  group string keep tag=1 required
  names CustomResourceDefinitionNames keep tag=3 required
  scope string keep tag=4 required
  versions []CustomResourceDefinitionVersion keep tag=7 required list=atomic
  conversion CustomResourceConversion set tag=9
  preserveUnknownFields bool omit tag=10

CustomResourceDefinitionStatus
  conditions []CustomResourceDefinitionCondition keep tag=1 list=map(type)
  acceptedNames CustomResourceDefinitionNames keep tag=2
  storedVersions []string keep tag=3 list=atomic
  observedGeneration int64 omit tag=4

CustomResourceDefinitionVersion
  name string keep tag=1 required
  served bool keep tag=2 required
  storage bool keep tag=3 required
  deprecated bool omit tag=7
  deprecationWarning string set tag=8
  schema CustomResourceValidation set tag=4
  subresources CustomResourceSubresources set tag=5
  additionalPrinterColumns []CustomResourceColumnDefinition omit tag=6 list=atomic
  selectableFields []SelectableField omit tag=9 list=atomic

CustomResourceSubresourceScale
  specReplicasPath string keep tag=1 required
  statusReplicasPath string keep tag=2 required
  labelSelectorPath string set tag=3

CustomResourceSubresourceStatus

CustomResourceSubresources
  status CustomResourceSubresourceStatus set tag=1
  scale CustomResourceSubresourceScale set tag=2

CustomResourceValidation
  openAPIV3Schema JSONSchemaProps set tag=1

ExternalDocumentation
  description string omit tag=1
  url string omit tag=2

FieldValueErrorReason enum=["FieldValueDuplicate","FieldValueForbidden","FieldValueInvalid","FieldValueRequired"]

JSONSchemaProps
  id string omit tag=1
  $schema string omit tag=2
  $ref string set tag=3
  description string omit tag=4
  type string omit tag=5
  format string omit tag=6
  title string omit tag=7
  default JSON set tag=8
  maximum double set tag=9
  exclusiveMaximum bool omit tag=10
  minimum double set tag=11
  exclusiveMinimum bool omit tag=12
  maxLength int64 set tag=13
  minLength int64 set tag=14
  pattern string omit tag=15
  maxItems int64 set tag=16
  minItems int64 set tag=17
  uniqueItems bool omit tag=18
  multipleOf double set tag=19
  enum []JSON omit tag=20 list=atomic
  maxProperties int64 set tag=21
  minProperties int64 set tag=22
  required []string omit tag=23 list=atomic
  items JSONSchemaPropsOrArray set tag=24
  allOf []JSONSchemaProps omit tag=25 list=atomic
  oneOf []JSONSchemaProps omit tag=26 list=atomic
  anyOf []JSONSchemaProps omit tag=27 list=atomic
  not JSONSchemaProps set tag=28
  properties map[]JSONSchemaProps omit tag=29
  additionalProperties JSONSchemaPropsOrBool set tag=30
  patternProperties map[]JSONSchemaProps omit tag=31
  dependencies map[]JSONSchemaPropsOrStringArray omit tag=32
  additionalItems JSONSchemaPropsOrBool set tag=33
  definitions map[]JSONSchemaProps omit tag=34
  externalDocs ExternalDocumentation set tag=35
  example JSON set tag=36
  nullable bool omit tag=37
  x-kubernetes-preserve-unknown-fields bool set tag=38
  x-kubernetes-embedded-resource bool omit tag=39
  x-kubernetes-int-or-string bool omit tag=40
  x-kubernetes-list-map-keys []string omit tag=41 list=atomic
  x-kubernetes-list-type string set tag=42
  x-kubernetes-map-type string set tag=43
  x-kubernetes-validations []ValidationRule omit tag=44 list=map(rule) patch=merge(rule)

JSONSchemaPropsOrArray oneOf=JSONSchemaProps|[]JSONSchemaProps

JSONSchemaPropsOrBool oneOf=JSONSchemaProps|bool

JSONSchemaPropsOrStringArray oneOf=JSONSchemaProps|[]string

SelectableField
  jsonPath string keep tag=1 required

ServiceReference
  namespace string keep tag=1 required
  name string keep tag=2 required
  path string set tag=3
  port int32 set tag=4

ValidationRule
  rule string keep tag=1 required
  message string omit tag=2
  messageExpression string omit tag=3
  reason FieldValueErrorReason set tag=4
  fieldPath string omit tag=5
  optionalOldSelf bool set tag=6

WebhookClientConfig
  url string set tag=3
  service ServiceReference set tag=1
  caBundle bytes omit tag=2

WebhookConversion
  clientConfig WebhookClientConfig set tag=2
  conversionReviewVersions []string keep tag=3 required list=atomic
`;
