import { status } from "../../live";
import { Card, Loading, PageHead, SeizureWarning, Strobe } from "../../ui";

export default function Overview() {
  const now = status.value;
  if (now === null) return <Loading />;
  return (
    <>
      <PageHead title={now.device.name} />
      <Card class="stage">
        <Strobe label={now.device.name} />
        <SeizureWarning />
      </Card>
    </>
  );
}
