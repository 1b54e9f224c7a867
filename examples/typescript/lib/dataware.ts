import { Annotations, CfnResource, Stack } from 'aws-cdk-lib';
import type { IConstruct, IMixin } from 'constructs';

/** The types that dataware knows, and the property that holds the name of each. */
const NAMES: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::DynamoDB::GlobalTable': 'TableName',
  'AWS::SSM::Parameter': 'Name',
  'AWS::ECR::Repository': 'RepositoryName',
  'AWS::Cognito::UserPool': 'UserPoolName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Kinesis::Stream': 'Name',
  'AWS::EFS::FileSystem': 'FileSystemId',
  'AWS::RDS::DBInstance': 'DBInstanceIdentifier',
  'AWS::RDS::DBCluster': 'DBClusterIdentifier',
  'AWS::KMS::Key': 'KeyId',
  'AWS::OpenSearchService::Domain': 'DomainName',
};

/** What is left out is the first of these words. */
export interface DataAwareSettings {
  readonly onError?: 'safe' | 'no-data' | 'stop';
  readonly onFallbackData?: 'migrate' | 'import';
  readonly importMode?: 'adopt' | 'reference';
  /** What a resource goes by that has no name of its own, or a generated one; for one resource. */
  readonly physicalId?: string;
}

/**
 * Lets dataware see a bucket, table or other known resource, as an L1 or an L2 construct, and the
 * older names under which its data may be. A mixin with such names is for one resource.
 */
export class DataAwareMixin implements IMixin {
  private readonly asked = new Set<IConstruct>();
  private readonly applied = new Set<CfnResource>();

  constructor(
    private readonly fallbackNames: readonly string[] = [],
    private readonly settings: DataAwareSettings = {},
  ) {}

  private isForOne(): boolean {
    return this.fallbackNames.length > 0 || this.settings.physicalId !== undefined;
  }

  /** CDK skips what is not supported without a word, so names that nobody takes are an error. */
  supports(construct: IConstruct): boolean {
    const follows = construct.node.scope !== undefined && this.asked.has(construct.node.scope);
    this.asked.add(construct);
    if (!follows && this.isForOne() && !construct.node.findAll().some(findResource)) {
      throw new Error(`${construct.node.path} declares no resource that dataware knows`);
    }
    return findResource(construct) !== undefined;
  }

  applyTo(construct: IConstruct): void {
    const resource = findResource(construct);
    if (resource === undefined) {
      throw new Error(`${construct.node.path} declares no resource that dataware knows`);
    }
    if (this.settings.physicalId === undefined) {
      checkName(resource);
    }
    const silent = this.fallbackNames.length === 0 && Object.values(this.settings).every((one) => one === undefined);
    if (silent && resource.getMetadata('Dataware') !== undefined) {
      return; // a mixin for a whole stack leaves what a resource says of itself
    }
    this.applied.add(resource);
    if (this.isForOne() && this.applied.size > 1) {
      const paths = [...this.applied].map((one) => one.node.path).join(' and ');
      throw new Error(`${paths} cannot share fallback names or an id: give each a DataAwareMixin of its own`);
    }
    resource.addMetadata('Dataware', {
      Id: this.settings.physicalId,
      Fallback: this.fallbackNames,
      OnError: this.settings.onError,
      OnFallbackData: this.settings.onFallbackData,
      Import: this.settings.importMode,
    });
    if (this.isForOne() && process.env.CDK_OUTDIR && !process.env.DATAWARE_RUN) {
      // CDK itself runs the app: its deployment would not wait for data under an older name.
      Annotations.of(resource).addWarningV2(
        'dataware:not-looked-at',
        'nobody looked at the data; deploy with `dataware deploy`, which copies first',
      );
    }
  }
}

/** The resource of a known type that a construct is or declares. */
function findResource(construct: IConstruct): CfnResource | undefined {
  let found: IConstruct | undefined = construct;
  while (found !== undefined && !CfnResource.isCfnResource(found)) {
    found = found.node.defaultChild;
  }
  return found !== undefined && found.cfnResourceType in NAMES ? found : undefined;
}

/** The data is looked at before the deployment, so its name has to be written out. */
function checkName(resource: CfnResource): void {
  const property = NAMES[resource.cfnResourceType];
  const given = Reflect.get(resource, property[0].toLowerCase() + property.slice(1))
    ?? Reflect.get(resource, 'cfnProperties')[property];
  if (typeof Stack.of(resource).resolve(given) !== 'string') {
    throw new Error(`${resource.node.path} needs a literal ${property}, not one that is computed`);
  }
}
