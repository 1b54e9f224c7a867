import { App, CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** Lets dataware see the resource of a construct, and the names its data may be under. */
function dataAware(construct: Construct, ...fallback: string[]): void {
  const resource = construct.node.defaultChild as CfnResource;
  resource.addMetadata('Dataware', { Fallback: fallback });
}

class Spaceport extends Stack {
  constructor(scope: Construct, id: string, stage: string) {
    super(scope, id, { stackName: `${id}-${stage}` });

    const uploads = new Bucket(this, 'Uploads', {
      bucketName: `spaceport-uploads-${stage}`,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    dataAware(uploads, 'spaceport-uploads');

    const waitlist = new Table(this, 'Waitlist', {
      tableName: `Spaceport-Waitlist-${stage}`,
      partitionKey: { name: 'email', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    dataAware(waitlist, 'Spaceport-Waitlist');
  }
}

const app = new App();
new Spaceport(app, 'Spaceport', app.node.tryGetContext('stage') ?? 'staging');
app.synth();
