// Where the page is, what certificates there are, and which of them are shown (HTT-01…04, CRT-01…05).

import { useState } from "preact/hooks";
import { Link } from "../../../router";
import { useSection } from "../../../settings";
import { Button, Card, Loading, Notice, PageHead } from "../../../ui";
import { useTold } from "../told";
import { Add } from "./add";
import { Authorities, type Sip } from "./authorities";
import type { Certificates, Web } from "./model";
import { One } from "./one";
import { Serving } from "./serving";
import { t } from "./words";
import "./certificates.css";

const FOLLOW = { settings: ["/certificates", "/web/certificate", "/sip/tls"] };

export default function CertificatesPage() {
  const web = useSection<Web>("web");
  const sip = useSection<Sip>("sip");
  const told = useTold<Certificates>("/certificates", FOLLOW);
  const [adding, add] = useState(false);
  const all = told.value;
  if (!web.value) return <Loading />;
  const full = all !== null && all.certificates.length > all.max; // the device's own does not count
  return (
    <>
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <div class="stack">
        <Serving section={web} certificates={all?.certificates ?? []} />
        <section class="certificates" aria-labelledby="certificates">
          <header>
            <h2 id="certificates">{t("certificates")}</h2>
            {all && <span class="dim">{t("count", { n: all.certificates.length - 1, max: all.max })}</span>}
            <Button kind="primary" icon="plus" disabled={!all || full} onClick={() => add(true)}>{t("add")}</Button>
          </header>
          {full && <Notice tone="fair">{t("full", { max: all.max })}</Notice>}
          {told.problem && <p class="error" role="alert">{told.problem}</p>}
          {!all && !told.problem && <Loading />}
          <ul>
            {all?.certificates.map((one) => (
              <li key={one.name}>
                <One certificate={one} web={web} sip={sip} onChanged={told.reload} />
              </li>
            ))}
          </ul>
          {sip.value?.tls.certificate.includes("-----BEGIN") && (
            <Notice>
              {t("sipText")} <Link path="/sip">{t("sipTextWhere")}</Link>
            </Notice>
          )}
        </section>
        {sip.value && (
          <Card title={t("authorities")}>
            <Authorities section={sip} />
          </Card>
        )}
      </div>
      {adding && <Add onClose={() => add(false)} onDone={told.reload} />}
    </>
  );
}
