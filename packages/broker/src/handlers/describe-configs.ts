// AdminService.DescribeConfigs: every config in force, with where it comes from. Secrets are never told.

import {
  type BrokerConfig,
  brokerConfigWith,
  type ConfigEntry as Entry,
  failure,
  type Failure,
  isFailure,
  topicConfigOf,
} from '@tidemark/core';
import {
  checkTopicName,
  errorDetail,
  failureDetail,
  type ConfigEntry,
  type ConfigResourceOutput,
  type ConfigSource,
  type DescribeConfigsRequestOutput,
  type DescribeConfigsResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';

function sourceOf(entry: Entry): ConfigSource {
  switch (entry.source.kind) {
    case 'default':
      return 'CONFIG_SOURCE_DEFAULT';
    case 'file':
    case 'environment':
    case 'flag':
    case 'option':
      return 'CONFIG_SOURCE_STATIC_BROKER';
    case 'dynamic-default':
    case 'dynamic-broker':
      return 'CONFIG_SOURCE_DYNAMIC_BROKER';
    case 'dynamic-topic':
      return 'CONFIG_SOURCE_DYNAMIC_TOPIC';
  }
}

function entryAnswer(entry: Entry): ConfigEntry {
  const { descriptor } = entry;
  return {
    name: entry.name,
    value: descriptor.sensitive ? '' : entry.value,
    source: sourceOf(entry),
    readOnly: !descriptor.dynamic,
    sensitive: descriptor.sensitive,
    type: descriptor.type,
    documentation: descriptor.doc,
  };
}

/** This node's configuration with what was set at run time. */
export function configInForce(context: NodeContext): BrokerConfig {
  const { image } = context.metadata;
  return brokerConfigWith(context.config, image.brokerConfigs(''), image.brokerConfigs(context.self));
}

function entriesOf(context: NodeContext, resource: ConfigResourceOutput): readonly Entry[] | Failure {
  const { image } = context.metadata;
  switch (resource.type) {
    case 'CONFIG_RESOURCE_TYPE_TOPIC': {
      const name = checkTopicName(resource.name);
      if (isFailure(name)) return name;
      if (image.topicByName(name) === undefined) {
        return failure('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`);
      }
      return topicConfigOf(configInForce(context), image.topicConfigs(name)).entries();
    }
    case 'CONFIG_RESOURCE_TYPE_BROKER': {
      if (resource.name === '') {
        // Cluster-wide: only what somebody set for all brokers.
        const set = image.brokerConfigs('');
        return brokerConfigWith(context.config, set, new Map())
          .entries()
          .filter(({ name }) => set.has(name));
      }
      if (resource.name === String(context.self)) return configInForce(context).entries();
      return failure(
        'INVALID_REQUEST',
        `this is broker ${context.self}; ask broker ${resource.name} for its own configs, or name no broker for the cluster's`,
      );
    }
    case 'CONFIG_RESOURCE_TYPE_UNSPECIFIED':
    default:
      return failure('INVALID_REQUEST', 'a config resource is of type TOPIC or BROKER');
  }
}

export function describeConfigs(
  context: NodeContext,
  request: DescribeConfigsRequestOutput,
): DescribeConfigsResponse {
  const keys = request.keys.length === 0 ? undefined : new Set(request.keys);
  // A resource is a few bytes in the request and some thousands in the answer.
  const seen = new Set<string>();
  const results = request.resources.map((resource) => {
    const named = `${resource.type}/${resource.name}`;
    if (seen.has(named)) {
      return {
        resource,
        error: errorDetail('INVALID_REQUEST', 'the request names the resource more than once'),
      };
    }
    seen.add(named);
    const entries = entriesOf(context, resource);
    if (isFailure(entries)) return { resource, error: failureDetail(entries) };
    const unknown = [...(keys ?? [])].find((key) => !entries.some(({ name }) => name === key));
    if (unknown !== undefined && resource.name !== '') {
      return { resource, error: errorDetail('INVALID_CONFIG', `there is no config ${unknown}`) };
    }
    return {
      resource,
      entries: entries.filter(({ name }) => keys?.has(name) ?? true).map(entryAnswer),
    };
  });
  return { results };
}
