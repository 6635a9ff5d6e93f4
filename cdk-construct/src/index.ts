import * as path from 'path';
import { CfnStack, Duration, Fn, Stack, Token, Tokenization } from 'aws-cdk-lib';
import * as rest from 'aws-cdk-lib/aws-apigateway';
import * as v2 from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { JwtAuthorizerParameters, PARAMETERS, Parameter } from './parameters';

export * from './parameters';

/** What a JWT authorizer is made with: the parameters of its template, and its package. */
export interface JwtAuthorizerProps extends JwtAuthorizerParameters {
  /**
   * The architecture of the function: `arm64` or `x86_64`.
   *
   * @default "arm64"
   */
  readonly architecture?: string;

  /**
   * A package of your own, such as one with rules in `bundled/` or with a hook: the zip that `make package` writes, or
   * a folder with the same content. It has to be for `architecture`.
   *
   * @default - the package that comes with this construct
   */
  readonly packagePath?: string;
}

/**
 * A Lambda authorizer that verifies JSON Web Tokens, with its role, log, alarms and dashboard, and with what its
 * properties turn on.
 *
 * It is the packaged template of the JWT authorizer as a nested stack. The properties are its parameters.
 */
export class JwtAuthorizer extends Construct {
  /** What APIs call: the function, or its alias. */
  public readonly handler: lambda.IFunction;

  /** The dimension `service` of its metrics, and what its log lines call it. */
  public readonly service: string;

  /** The name of the log group with a line for each decision. */
  public readonly logGroupName: string;

  /** The nested stack. */
  public readonly stack: CfnStack;

  private readonly cachedBy?: string;

  /** Make it. Throws if the template would not take one of the properties. */
  constructor(scope: Construct, id: string, props: JwtAuthorizerProps) {
    super(scope, id);
    this.cachedBy = props.cachedBy;
    const architecture = props.architecture ?? 'arm64';
    if (!['arm64', 'x86_64'].includes(architecture)) {
      throw new Error(`architecture must be arm64 or x86_64, and is ${architecture}`);
    }
    const folder = path.join(__dirname, '..', 'packages', architecture);
    const code = new Asset(this, 'Package', { path: props.packagePath ?? path.join(folder, 'jwt-authorizer.zip') });
    const template = new Asset(this, 'Template', { path: path.join(folder, 'template.yaml') });
    const parameters: { [name: string]: string } = {
      // Each authorizer below permits its own API. The template's default permits all of the account's.
      ApiId: 'none',
      ServiceName: Stack.of(this).stackName,
      PackageBucket: code.s3BucketName,
      PackageKey: code.s3ObjectKey,
    };
    const given = props as { [name: string]: any };
    for (const parameter of PARAMETERS) {
      const value = given[parameter.name];
      if (value !== undefined) {
        parameters[parameter.parameter] = checked(parameter, asText(this, parameter, value));
      }
    }
    this.stack = new CfnStack(this, 'Stack', { templateUrl: template.httpUrl, parameters });
    template.addResourceMetadata(this.stack, 'TemplateURL'); // for `cdk diff`
    this.handler = lambda.Function.fromFunctionAttributes(this, 'Handler', {
      functionArn: this.output('FunctionArn'),
      sameEnvironment: true,
    });
    this.service = parameters.ServiceName;
    this.logGroupName = this.output('LogGroup');
  }

  /**
   * Return an output of the template, such as `DashboardUrl`, `RevokerName` or `LogoutUrl`.
   *
   * @param name its name there.
   */
  public output(name: string): string {
    return this.stack.getAtt(`Outputs.${name}`).toString();
  }

  /**
   * Make an authorizer for the methods of one REST API, which may then call the function.
   *
   * Answers are cached by the header `Authorization`. If `cachedBy` is `route`, they are cached by the method and the
   * path of the API's resource as well.
   *
   * @param id its name in this construct, for a second REST API.
   * @param ttl how long API Gateway keeps an answer; five minutes if not given.
   */
  public restAuthorizer(id: string = 'Rest', ttl?: Duration): rest.RequestAuthorizer {
    const identitySources = [rest.IdentitySource.header('Authorization')];
    if (this.cachedBy === 'route') {
      identitySources.push(rest.IdentitySource.context('httpMethod'), rest.IdentitySource.context('resourcePath'));
    }
    const resultsCacheTtl = ttl ?? Duration.minutes(5);
    return new rest.RequestAuthorizer(this, id, { handler: this.handler, identitySources, resultsCacheTtl });
  }

  /**
   * Make an authorizer for the routes of one HTTP API, which may then call the function. Its answers are simple
   * responses, cached by the header `Authorization` and the route.
   *
   * @param ttl how long API Gateway keeps an answer; five minutes if not given.
   */
  public httpAuthorizer(ttl?: Duration): v2.HttpLambdaAuthorizer {
    return new v2.HttpLambdaAuthorizer(this.node.id, this.handler, {
      responseTypes: [v2.HttpLambdaResponseType.SIMPLE],
      identitySource: ['$request.header.Authorization', '$context.routeKey'],
      resultsCacheTtl: ttl ?? Duration.minutes(5),
    });
  }

  /**
   * Make an authorizer for the route `$connect` of one WebSocket API, which may then call the function.
   *
   * @param identitySource where the token is. Browsers can't set headers: `route.request.querystring.token`.
   */
  public websocketAuthorizer(identitySource: string = 'route.request.header.Authorization'): v2.WebSocketLambdaAuthorizer {
    return new v2.WebSocketLambdaAuthorizer(this.node.id, this.handler, { identitySource: [identitySource] });
  }
}

/** Return a value as CloudFormation wants it, which has texts only. */
function asText(scope: Construct, parameter: Parameter, value: any): string {
  switch (parameter.kind) {
    case 'switch':
      return value ? 'on' : 'off';
    case 'list':
      return Token.isUnresolved(value) ? Fn.join(',', value) : value.join(',');
    case 'pairs':
      return Object.entries(value).map(([key, claim]) => `${key}=${claim}`).join(',');
    case 'json':
      return Stack.of(scope).toJsonString(value);
    default:
      return typeof value === 'number' ? Tokenization.stringifyNumber(value) : String(value);
  }
}

/** Throw if the template would not take a value. What is known at the deployment only, CloudFormation checks. */
function checked(parameter: Parameter, text: string): string {
  const { name, allowed, least, most, pattern } = parameter;
  if (Token.isUnresolved(text)) {
    return text;
  }
  if (allowed && !allowed.includes(text)) {
    throw new Error(`${name} must be one of ${allowed.join(', ')}, and is ${text}`);
  }
  if ((least !== undefined && Number(text) < least) || (most !== undefined && Number(text) > most)) {
    throw new Error(`${name} must be from ${least ?? 'any number'} to ${most ?? 'any number'}, and is ${text}`);
  }
  if (pattern && !new RegExp(`^(?:${pattern})$`).test(text)) {
    throw new Error(`${name} must match ${pattern}, and is ${text}`);
  }
  return text;
}
