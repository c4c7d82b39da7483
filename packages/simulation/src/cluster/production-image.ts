// A metadata image of a production node, as the checkers see one.

import {
  type ImageDigester,
  imageInvariants,
  type MetadataImage,
  type TopicImage,
} from '@tidemark/controller';
import { type ImageView, type TopicView } from './simulated-node.ts';

/** The topic config that stands for a topic's value: any number is one. */
export const VALUE_CONFIG = 'retention.ms';

export class ImageOf implements ImageView {
  readonly #image: MetadataImage;
  readonly #digester: ImageDigester;

  constructor(image: MetadataImage, digester: ImageDigester) {
    this.#image = image;
    this.#digester = digester;
  }

  get offset(): number {
    return this.#image.offset;
  }

  topic(name: string): TopicView | undefined {
    const topic = this.#image.topicByName(name);
    return topic && { id: topic.id, value: valueOf(topic) };
  }

  *topicNames(): Iterable<string> {
    for (const { name } of this.#image.topics()) yield name;
  }

  digest(): string {
    return this.#digester.digest(this.#image);
  }

  problems(previous: ImageView | undefined): readonly string[] {
    return previous instanceof ImageOf ? imageInvariants(this.#image, previous.#image) : [];
  }
}

const valueOf = ({ configs }: TopicImage): string | undefined => configs.get(VALUE_CONFIG);
