/** What the person may do, as the API server says: asked once of each deed, shown before it is tried. */
import { useEffect, useState } from "react";
import { ask, CallFailed } from "../model/call.ts";
import type { Resource } from "../model/resources.ts";
import { useConsole } from "../parts/context.ts";

/** Something that can be done. */
export interface Deed {
  readonly verb: string;
  readonly resource: Pick<Resource, "group" | "plural">;
  readonly subresource?: string;
  /** "" for all, and for what is in none. */
  readonly namespace: string;
}

interface Answer {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

/** Why the person may not; "" when they may, and while it is not known: the server decides in the end. */
export function useRefusal({ verb, resource: { group, plural }, subresource = "", namespace }: Deed): string {
  const { person } = useConsole();
  const [refusal, setRefusal] = useState("");
  useEffect(() => {
    let isGone = false;
    const attributes = { verb, group, resource: plural, subresource, namespace };
    refusalOf(attributes, person.name).then(
      (text) => {
        if (!isGone) setRefusal(text);
      },
      // Not being able to ask refuses nothing.
      (error: unknown) => {
        if (!(error instanceof CallFailed)) throw error;
      },
    );
    return () => {
      isGone = true;
    };
  }, [verb, group, plural, subresource, namespace, person]);
  return refusal;
}

interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
}

/** Source: k8s.io/api/authorization/v1 SelfSubjectAccessReview */
async function refusalOf(attributes: Attributes, person: string): Promise<string> {
  const { status } = await ask<Answer>("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    method: "POST",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: attributes },
    },
  });
  if (status?.allowed === true) return "";
  const { verb, resource, subresource, namespace } = attributes;
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "" : ` in ${namespace}`;
  return `${person} may not ${verb} ${what}${where}.`;
}
