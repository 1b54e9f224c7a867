import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { DataAwareMixin } from '../lib/dataware';

class Spaceport extends Stack {
  constructor(scope: Construct, id: string, stage: string) {
    super(scope, id, { stackName: `${id}-${stage}` });

    new Bucket(this, 'Uploads', {
      bucketName: `spaceport-uploads-${stage}`,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    }).with(new DataAwareMixin(['spaceport-uploads']));

    new Table(this, 'Waitlist', {
      tableName: `Spaceport-Waitlist-${stage}`,
      partitionKey: { name: 'email', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    }).with(new DataAwareMixin(['Spaceport-Waitlist'], { onError: 'stop' }));
  }
}

const app = new App();
new Spaceport(app, 'Spaceport', app.node.tryGetContext('stage') ?? 'staging');
app.synth();
